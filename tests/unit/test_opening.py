"""The artifact of a folder, opened: by whom, and what is said when it cannot be."""

from __future__ import annotations

import gzip
import os
import pickle
import re
import sys
import warnings
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LinearRegression

from custom_model_runner import codedir, opening, plugins, predictor
from custom_model_runner.errors import LoadError
from custom_model_runner.plugins import Framework, Loader

from .folders import plant

WORDS = "An error occurred when loading your artifact:"


@pytest.fixture
def sails(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A loader of its own for files that end with .sail, in a table of its own."""
    library = ModuleType("sail")
    monkeypatch.setattr(plugins, "LOADERS", {".sail": Loader("sail", "rig")})
    monkeypatch.setattr(plugins, "FRAMEWORKS", {"sail": Framework("sail", "rig", packages=("sailcloth",))})
    languages = {"python": plugins.Language("python", artifacts=(".sail",), user_files=("custom.py",))}
    monkeypatch.setattr(plugins, "LANGUAGES", languages)
    monkeypatch.setattr(plugins, "find", lambda line: {"sail": library}[line.module])
    return library


@pytest.mark.parametrize("name", ["model.sail", "MODEL.SAIL"])
def test_the_suffix_chooses_who_opens_the_artifact(tmp_path: Path, sails: ModuleType, name: str) -> None:
    sails.load = Path.read_bytes  # type: ignore[attr-defined]
    assert opening.load(codedir.open_folder(plant(tmp_path, {name: b"wide"}))).model == b"wide"


def test_an_artifact_that_needs_a_package_of_a_framework_names_the_extra(tmp_path: Path, sails: ModuleType) -> None:
    def load(path: Path) -> None:
        raise ModuleNotFoundError(name="sailcloth.white")

    sails.load = load  # type: ignore[attr-defined]
    folder = codedir.open_folder(plant(tmp_path, {"model.sail": b"wide"}))
    with pytest.raises(LoadError) as caught:
        opening.load(folder)
    hint = 'pip install "custom-model-runner[rig]"'
    assert str(caught.value) == f"{WORDS} model.sail needs the module 'sailcloth', which is not there: {hint}"


def test_an_artifact_that_needs_another_package_names_that(tmp_path: Path, sails: ModuleType) -> None:
    sails.load = lambda path: pickle.loads(path.read_bytes())  # type: ignore[attr-defined]
    assert "absent_rope" not in sys.modules
    folder = codedir.open_folder(plant(tmp_path, {"model.sail": b"cabsent_rope.knots\nKnot\n."}))
    with pytest.raises(LoadError, match=r"needs the module 'absent_rope', .* put its file beside the artifact$"):
        opening.load(folder)


def test_a_file_that_only_shares_its_suffix_with_artifacts_is_not_called_one_in_a_subfolder(tmp_path: Path) -> None:
    folder = codedir.open_folder(plant(tmp_path, {"deep/notes.txt": "tree\n", "custom.py": ""}))
    with pytest.raises(LoadError, match=r"add one, or write a load_model hook$"):
        opening.load(folder)


# What is said of pickles that cannot be opened.

MODEL = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
INSTALLED = f"scikit-learn {sklearn.__version__}"


def failure(folder: Path, files: dict[str, str | bytes], **options: Any) -> str:
    with pytest.raises(LoadError) as caught:
        predictor.load(plant(folder, files), **options)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{WORDS} ")
    return text.removeprefix(f"{WORDS} ")


def of_version(version: str, model: Any = MODEL) -> bytes:
    """Return a pickle as another version of scikit-learn would have written it."""
    return pickle.dumps(model, 2).replace(version_text(sklearn.__version__), version_text(version))


def version_text(version: str) -> bytes:
    return b"X" + len(version).to_bytes(4, "little") + version.encode()


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("model.pkl", b"", "model.pkl is empty: copy or save it again"),
        ("model.pkl", b"<html>Not found</html>", "model.pkl is markup, such as a web page: fetch the file itself"),
        ("model.joblib", b"version https://git-lfs.github.com/spec/v1\n", "fetch the file with git lfs pull"),
        ("model.pkl", b"tree\nversion=v4\n", "model.pkl is a model of LightGBM: call it .txt"),
        ("model.pkl", b"not a pickle", "model.pkl is text and not a pickle: save the fitted model with pickle"),
        ("model.joblib", b"no joblib", "model.joblib is text and not a pickle: save the fitted model with"),
        ("model.pkl", b'{"a": 1}', "model.pkl is JSON text and not a pickle: "),
        ("model.pkl", b"\x00\x01\x02", "model.pkl is of no known kind and not a pickle: "),
        ("model.pkl", gzip.compress(b"hello"), "model.pkl is "),
        ("model.pkl", pickle.dumps(MODEL)[:-20], r"model.pkl ends before the pickle in it does \(\d+ bytes\): copy or"),
        ("model.joblib", pickle.dumps(MODEL)[:-20], r"model.joblib ends before the pickle in it does"),
        ("model.pkl", gzip.compress(pickle.dumps(MODEL))[:-30], r"model.pkl ends before the pickle in it does"),
        (
            "model.pkl",
            b"\x80\x09\x95.",
            r"model.pkl has pickle protocol 9, and Python 3\.\S+ reads up to 5: use a newer",
        ),
        ("model.pkl", b"\x80\x04K\x01\xff.", "model.pkl: UnpicklingError"),
        ("model.pkl", b"cbuiltins\nexit\n(I3\ntR.", r"model.pkl: SystemExit\(3\)"),
        (
            "model.pkl",
            b"cabsent_rope.knots\nKnot\n.",
            "needs the module 'absent_rope', which is not there: install it, or",
        ),
        (
            "model.pkl",
            b"ccustom\nModel\n.",
            "needs the module 'custom', which is not there: install it, or put its file",
        ),
        (
            "model.pkl",
            b"c__main__\nMyModel\n.",
            "model.pkl needs 'MyModel', which was defined in the script or notebook that saved it: move it to a Python",
        ),
        (
            "model.pkl",
            b"csklearn.linear_model.gone\nRidge\n.",
            f"needs the module 'sklearn.linear_model.gone', which {INSTALLED} does not have: "
            "the artifact was made with another version; install that one, or train it again",
        ),
        (
            "model.pkl",
            b"csklearn.linear_model\nGone_\n.",
            f"needs 'Gone_' of the module 'sklearn.linear_model', which {INSTALLED} does not have: the artifact was",
        ),
        (
            "model.pkl",
            b"(d"
            + pickle.dumps("_sklearn_version", 0)[:-1]
            + pickle.dumps("0.21.3", 0)[:-1]
            + b"scsklearn.gone\nRidge\n.",
            rf"which {INSTALLED} does not have; the artifact was made with scikit-learn 0.21.3, and {INSTALLED} is "
            r'installed: pip install "scikit-learn==0.21.3", or train it again',
        ),
    ],
)
def test_a_file_that_cannot_be_opened_is_told_with_what_to_do(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    assert re.search(words, failure(tmp_path, {name: data}))


def test_a_joblib_file_that_was_cut_in_an_array_is_told(tmp_path: Path) -> None:
    joblib.dump([np.arange(99.0)], tmp_path / "model.joblib")
    data = (tmp_path / "model.joblib").read_bytes()[:-200]
    assert "ends before the pickle in it does" in failure(tmp_path, {"model.joblib": data})


def test_a_class_that_is_gone_from_a_module_beside_the_artifact_names_the_file(tmp_path: Path) -> None:
    told = failure(tmp_path, {"model.pkl": b"cparts.old\nModel\n.", "parts/__init__.py": "", "parts/old.py": "x = 1"})
    assert told == (
        "model.pkl needs 'Model' of the module 'parts.old', which parts/__init__.py does not have: "
        "put it back, or save the artifact again"
    )


def test_a_class_that_is_gone_from_the_user_file_names_the_file(tmp_path: Path) -> None:
    told = failure(
        tmp_path, {"model.pkl": b"ccustom\nModel\n.", "custom.py": "def transform(data, model): return data"}
    )
    assert told.startswith("model.pkl needs 'Model' of the module 'custom', which custom.py does not have: put it back")


def test_a_module_that_stands_deeper_in_the_folder_is_pointed_to(tmp_path: Path) -> None:
    told = failure(tmp_path, {"model.pkl": b"cparts\nModel\n.", "src/parts.py": "class Model: ..."})
    assert told == "model.pkl needs the module 'parts', which is not there: move src/parts.py beside the artifact"


def test_a_module_of_python_2_is_looked_for_under_its_new_name(tmp_path: Path) -> None:
    told = failure(tmp_path, {"model.pkl": b"c__builtin__\nsailcloth\n."})
    assert told.startswith(
        "model.pkl needs 'sailcloth' of the module 'builtins', which what is installed does not have"
    )


def test_a_model_of_another_version_that_fails_names_both_versions(tmp_path: Path) -> None:
    tree = of_version("1.0.9", SimpleNamespace(model=MODEL, broken=BrokenState()))
    told = failure(tmp_path, {"model.pkl": tree})
    assert told == (
        f"model.pkl was made with scikit-learn 1.0.9, and {INSTALLED} is installed, which cannot open it: "
        "pip install \"scikit-learn==1.0.9\", or train it again (KeyError('coef'))"
    )


class BrokenState:
    """Has a state that its class no longer takes."""

    def __getstate__(self) -> dict[str, int]:
        return {"intercept": 1}

    def __setstate__(self, state: dict[str, int]) -> None:
        state["coef"]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").symlink_to(tmp_path / "gone.pkl")
    assert failure(tmp_path, {}) == "model.pkl cannot be read: No such file or directory"


def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: Path) -> None:
        raise LoadError(f"{path.name} is not whole")

    monkeypatch.setattr(plugins, "find", lambda line: SimpleNamespace(load=load))


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("model.onnx", b"\x08\x07", "model.onnx is not whole"),
        (
            "model.onnx",
            b"version https://git-lfs",
            "model.onnx is a Git LFS pointer and not the file itself: ",
        ),
        (
            "model.json",
            b'{"version"' + b" " * 99 + b',"version":[9,8,7]}',
            "model.json is not whole; it was made with XGBoost 9.8.7, and none is installed",
        ),
        ("model.ubj", b"{", "model.ubj is not whole"),
        ("model.pth", b"", "model.pth is empty: copy or save it again"),
    ],
)
def test_what_a_framework_says_of_a_file_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, data: bytes, told: str
) -> None:
    folder = codedir.open_folder(plant(tmp_path, {name: data}))
    refusing(monkeypatch)
    with pytest.raises(LoadError) as caught:
        opening.load(folder)
    assert str(caught.value).startswith(f"{WORDS} {told}")


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ('{"keras_version": "9.1.0"}', "; it was made with Keras 9.1.0, and none is installed"),
        ('{"keras_version": 3}', ""),
        ("[]", ""),
        ("broken", ""),
        (None, ""),
    ],
)
def test_the_version_of_an_archive_of_keras_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata: str | None, told: str
) -> None:
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("model.weights.h5", b"")
        if metadata is not None:
            archive.writestr("metadata.json", metadata)
    refusing(monkeypatch)
    with pytest.raises(LoadError) as caught:
        opening.load(codedir.open_folder(tmp_path))
    assert str(caught.value) == f"{WORDS} model.keras is not whole{told}"


# Other versions that can be opened, and other warnings.


def test_a_model_of_another_version_that_opens_is_told_in_one_notice(tmp_path: Path) -> None:
    plant(tmp_path, {"model.pkl": of_version("1.0.9", [MODEL, MODEL, LinearRegression()])})
    opened = opening.load(codedir.open_folder(tmp_path))
    assert opened.model[0].coef_ == MODEL.coef_
    assert opened.notice == (
        f"model.pkl was made with scikit-learn 1.0.9, and {INSTALLED} is installed: its predictions may differ; "
        'pip install "scikit-learn==1.0.9", or train it again'
    )


def test_the_notice_comes_each_time_and_beside_that_of_the_target(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path, {"model.pkl": of_version("1.0.9")})
    for _ in range(2):
        predictor.load(tmp_path).close()
        first, second = capsys.readouterr().err.splitlines()
        assert first.startswith("drum: model.pkl was made with scikit-learn 1.0.9, and ")
        assert second == "drum: no target type given: regression inferred from the model"


def test_a_model_of_this_version_opens_without_a_notice(tmp_path: Path) -> None:
    assert opening.load(codedir.open_folder(plant(tmp_path, {"model.pkl": pickle.dumps(MODEL)}))).notice is None


XGBOOST = b"x" * 99 + b'"version":[1,5,2]}'


def test_a_model_that_xgboost_calls_old_is_told_with_the_version_in_the_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(path: Path) -> object:
        warnings.warn("[12:00:00] WARNING: x.cc\n\nIf you load a model of an older version of XGBoost\n", stacklevel=1)
        return path

    monkeypatch.setattr(plugins, "find", lambda line: SimpleNamespace(load=load))
    opened = opening.load(codedir.open_folder(plant(tmp_path, {"model.pkl": pickle.dumps(XGBOOST)})))
    assert str(opened.notice).startswith(
        "model.pkl was made with XGBoost 1.5.2, and none is installed: its predictions"
    )


@pytest.mark.parametrize("fails", [False, True])
def test_other_warnings_are_shown_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    def load(path: Path) -> object:
        warnings.warn("the wind turns", UserWarning, stacklevel=1)
        return 1 / (not fails)

    monkeypatch.setattr(plugins, "find", lambda line: SimpleNamespace(load=load))
    folder = codedir.open_folder(plant(tmp_path, {"model.pkl": b"x"}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if fails:
            with pytest.raises(LoadError):
                opening.load(folder)
        else:
            opening.load(folder)
    assert [str(each.message) for each in caught] == ["the wind turns"]


# --no-pickle.


class Evil:
    """Makes a folder when it is opened."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "MODEL.PKL"])
@pytest.mark.parametrize("code", [{}, {"custom.py": "def transform(data, model): return data"}])
def test_a_pickle_is_refused_under_no_pickle_and_not_opened(tmp_path: Path, name: str, code: dict[str, str]) -> None:
    marker = tmp_path / "opened"
    folder = plant(tmp_path / "code", {name: pickle.dumps(Evil(marker)), **code})
    with pytest.raises(LoadError) as caught:
        predictor.load(folder, no_pickle=True)
    suffix, forms = Path(name).suffix.lower(), ", ".join(opening.codeless())
    assert str(caught.value) == (
        f"--no-pickle refuses {name}: opening a {suffix} file can run code that is in it; "
        f"save the model in a form that cannot: {forms}"
    )
    assert not marker.exists()
    with pytest.raises(LoadError, match="Could not find any framework"):
        predictor.load(folder)
    assert marker.exists()


def test_the_forms_that_are_named_instead_are_those_that_can_do_without_code() -> None:
    assert opening.codeless() == [".skops", ".json", ".ubj", ".txt", ".cbm", ".pth", ".pt2", ".h5", ".keras", ".onnx"]


def test_a_load_model_hook_may_open_what_it_likes_under_no_pickle(tmp_path: Path) -> None:
    hook = "import joblib\ndef load_model(code_dir):\n    return joblib.load(code_dir + '/model.pkl')\n"
    folder = plant(tmp_path, {"model.pkl": pickle.dumps(MODEL), "custom.py": hook})
    with predictor.load(folder, no_pickle=True) as loaded:
        assert loaded.info.framework == "scikit-learn"


def test_a_file_that_may_hold_code_is_opened_without_it_under_no_pickle(tmp_path: Path, sails: ModuleType) -> None:
    sails.load = lambda path: path.name  # type: ignore[attr-defined]
    sails.load_without_code = lambda path: f"no code in {path.name}"  # type: ignore[attr-defined]
    plugins.LOADERS[".sail"] = Loader("sail", "rig", runs_code=True, can_do_without=True)  # type: ignore[index]
    folder = plant(tmp_path, {"model.sail": b"wide"})
    assert opening.load(codedir.open_folder(folder)).model == "model.sail"
    assert opening.load(codedir.open_folder(folder, refuses_code=True)).model == "no code in model.sail"


def test_a_file_that_never_holds_code_is_opened_as_ever_under_no_pickle(tmp_path: Path, sails: ModuleType) -> None:
    sails.load = Path.read_bytes  # type: ignore[attr-defined]
    folder = codedir.open_folder(plant(tmp_path, {"model.sail": b"wide"}), refuses_code=True)
    assert opening.load(folder).model == b"wide"
