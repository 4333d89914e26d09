"""Python user files: imported for as long as they are used, and then forgotten."""

from __future__ import annotations

import importlib
import pickle
import sys
from pathlib import Path

import pytest

from custom_model_runner import codedir, predictor
from custom_model_runner.data.payload import Payload
from custom_model_runner.languages import python
from custom_model_runner.model import UserCode
from custom_model_runner.predictor import Predictor

from ..folders import plant

TABLE = Payload(b"a\n1\n")
SCORE = """
    import pandas as pd
    from helper import NUMBER

    def score(data, model, **kwargs):
        return pd.DataFrame({"Predictions": [float(NUMBER)] * len(data)})
"""
LAZY_SCORE = """
    import pandas as pd

    def score(data, model, **kwargs):
        from helper import NUMBER
        return pd.DataFrame({"Predictions": [float(NUMBER)] * len(data)})
"""


def load(folder: Path, names: tuple[str, ...] = ("score",)) -> UserCode:
    return python.load(codedir.open_folder(folder, "python"), names)


def first(loaded: Predictor) -> float:
    return float(loaded.score(TABLE).values[0, 0])


def test_only_hooks_that_are_defined_are_returned(tmp_path: Path) -> None:
    code = load(plant(tmp_path, {"custom.py": "def score(data, model): pass\ndef other(): pass\n"}), ("score", "init"))
    code.close()
    assert list(code.hooks) == ["score"]


def test_a_hook_that_is_none_is_not_defined(tmp_path: Path) -> None:
    code = load(plant(tmp_path, {"custom.py": "score = None\n"}))
    code.close()
    assert code.hooks == {}


def test_a_hook_may_be_imported_from_elsewhere(tmp_path: Path) -> None:
    code = load(plant(tmp_path, {"custom.py": "from helper import score\n", "helper.py": "def score(): pass\n"}))
    code.close()
    assert list(code.hooks) == ["score"]


def test_the_folder_comes_first_when_the_user_file_imports(tmp_path: Path) -> None:
    # A module of the standard library that nobody has imported yet.
    code = load(plant(tmp_path, {"custom.py": "from tabnanny import score\n", "tabnanny.py": "def score(): pass\n"}))
    code.close()
    assert list(code.hooks) == ["score"]


def test_modules_beside_a_user_file_in_a_subfolder_and_at_the_top_can_be_imported(tmp_path: Path) -> None:
    files = {"deep/custom.py": "import beside, above\ndef score(): pass\n", "deep/beside.py": "", "above.py": ""}
    code = load(plant(tmp_path, files))
    code.close()
    assert list(code.hooks) == ["score"]


def test_while_it_is_used_the_user_file_is_the_module_custom(tmp_path: Path) -> None:
    code = load(plant(tmp_path, {"custom.py": "NUMBER = 7\n"}))
    number = importlib.import_module("custom").NUMBER
    code.close()
    assert number == 7


def test_a_closed_folder_is_forgotten(tmp_path: Path) -> None:
    load(plant(tmp_path, {"custom.py": "import helper\n", "helper.py": ""})).close()
    assert not {"custom", "helper"} & set(sys.modules)
    assert str(tmp_path) not in sys.path


def test_a_user_file_that_fails_is_forgotten(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="Failed loading hooks"):
        load(plant(tmp_path, {"custom.py": "import helper\nraise ValueError\n", "helper.py": ""}))
    assert not {"custom", "helper"} & set(sys.modules)
    assert str(tmp_path) not in sys.path


def test_folders_used_one_after_the_other_import_their_own_modules(tmp_path: Path) -> None:
    numbers = []
    for number in (1, 2):
        files = {"custom.py": SCORE, "helper.py": f"NUMBER = {number}\n"}
        with predictor.load(plant(tmp_path / str(number), files), target_type="regression") as loaded:
            numbers.append(first(loaded))
    assert numbers == [1.0, 2.0]


@pytest.mark.parametrize(
    ("user_file", "module"),
    [("custom.py", "helper.py"), ("custom.py", "helper/__init__.py"), ("deep/custom.py", "deep/helper.py")],
)
def test_folders_used_at_the_same_time_import_their_own_modules(tmp_path: Path, user_file: str, module: str) -> None:
    folders = [plant(tmp_path / str(number), {user_file: SCORE, module: f"NUMBER = {number}\n"}) for number in (1, 2)]
    with (
        predictor.load(folders[0], language="python", target_type="regression") as one,
        predictor.load(folders[1], language="python", target_type="regression") as two,
    ):
        assert (first(one), first(two)) == (1.0, 2.0)


def test_folders_used_at_the_same_time_import_their_own_packages(tmp_path: Path) -> None:
    hooks = SCORE.replace("from helper import", "from helper.numbers import")
    folders = []
    for number in (1, 2):
        files = {"custom.py": hooks, "helper/__init__.py": "", "helper/numbers.py": f"NUMBER = {number}\n"}
        folders.append(plant(tmp_path / str(number), files))
    with (
        predictor.load(folders[0], language="python", target_type="regression") as one,
        predictor.load(folders[1], language="python", target_type="regression") as two,
    ):
        assert (first(one), first(two)) == (1.0, 2.0)


def test_a_module_of_the_program_stays_when_the_folder_has_data_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path / "program", {"harbour.py": ""})
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path / "program")
        module = importlib.import_module("harbour")
    load(plant(tmp_path / "code", {"custom.py": "", "harbour.csv": ""})).close()
    assert sys.modules.pop("harbour", None) is module


def test_the_program_itself_stays_when_the_folder_is_one_too(tmp_path: Path) -> None:
    program = sys.modules["__main__"]
    load(plant(tmp_path, {"custom.py": "", "__main__.py": ""})).close()
    found = sys.modules.get("__main__")
    sys.modules["__main__"] = program
    assert found is program


def test_the_runner_stays_when_the_folder_holds_a_copy_of_it(tmp_path: Path) -> None:
    own = {name: module for name, module in sys.modules.items() if name.startswith("custom_model_runner")}
    load(plant(tmp_path, {"custom.py": "", "custom_model_runner/__init__.py": ""})).close()
    lost = own.keys() - sys.modules.keys()
    sys.modules.update(own)
    assert not lost


def test_a_user_file_may_take_its_folder_off_the_path(tmp_path: Path) -> None:
    hooks = "import pathlib, sys\nsys.path.remove(str(pathlib.Path(__file__).parent))\ndef score(): pass\n"
    code = load(plant(tmp_path, {"custom.py": hooks}))
    code.close()
    assert str(tmp_path) not in sys.path


def test_a_hook_may_import_when_it_is_called(tmp_path: Path) -> None:
    folder = plant(tmp_path, {"custom.py": LAZY_SCORE, "helper.py": "NUMBER = 3\n"})
    with predictor.load(folder, target_type="regression") as loaded:
        assert first(loaded) == 3.0


def test_a_hook_may_import_the_original_s_name_when_it_is_called(tmp_path: Path) -> None:
    hooks = LAZY_SCORE.replace("from helper import NUMBER", "from datarobot_drum import RuntimeParameters").replace(
        "NUMBER", "RuntimeParameters.has('ABSENT')"
    )
    with predictor.load(plant(tmp_path, {"custom.py": hooks}), target_type="regression") as loaded:
        assert first(loaded) == 0.0


def test_a_pickle_may_hold_objects_of_the_user_file(tmp_path: Path) -> None:
    hooks = """
        import pandas as pd

        class Model:
            number = 4.0

        def score(data, model, **kwargs):
            return pd.DataFrame({"Predictions": [model.number] * len(data)})
    """
    plant(tmp_path, {"custom.py": hooks})
    code = load(tmp_path)
    artifact = pickle.dumps(importlib.import_module("custom").Model())
    code.close()
    with predictor.load(plant(tmp_path, {"model.pkl": artifact}), target_type="regression") as loaded:
        assert first(loaded) == 4.0


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    plant(tmp_path / "real", {"custom.py": SCORE, "helper.py": "NUMBER = 5\n"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with predictor.load(tmp_path / "link", target_type="regression") as loaded:
        assert first(loaded) == 5.0
    assert not {"custom", "helper"} & set(sys.modules)
