"""What is told of a folder, and which of it are problems; nothing of the folder runs."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custom_model_runner import options
from custom_model_runner.artifacts import versions
from custom_model_runner.checks import doctor
from custom_model_runner.checks.report import Report
from custom_model_runner.settings import ModelSettings

from ..folders import pickled, plant


def zipped(name: str, content: bytes = b"{}") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


MODEL = make_pipeline(StandardScaler(), LinearRegression()).fit(np.eye(3), [1.0, 2.0, 3.0])
SCORE = "def score(data, model, **kwargs): return data\n"
LOAD = "def load_model(code_dir): return 1\n"
SKOPS = zipped("schema.json")
INSTALLED = f"scikit-learn {sklearn.__version__}"
REAL = versions.distributions()


@pytest.fixture(autouse=True)
def _distributions_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is really installed: finding it out takes longer than all the rest."""
    monkeypatch.setattr(versions, "distributions", lambda: REAL)


def look(folder: Path, files: dict[str, str | bytes], **given: Any) -> Report:
    plant(folder, files)
    return doctor.examine(options.read(ModelSettings, {"code_dir": str(folder), **given}, {}))


def facts(report: Report, title: str) -> list[str]:
    return [line[14:] for line in report.facts if line[:14].strip() == title]


class Evil:
    """Makes a folder when it is opened."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.place),)


def test_a_good_folder_is_described_and_has_no_problem(tmp_path: Path) -> None:
    report = look(tmp_path, {"model.pkl": pickled(MODEL), "notes.md": ""})
    assert (report.problems, report.notes, report.exit_code) == ([], [], 0)
    assert report.facts[:4] == [
        f"folder        {tmp_path}",
        "language      python",
        "metadata      none",
        "target type   not declared",
    ]
    assert report.facts[4].startswith("artifact      model.pkl, ")
    assert facts(report, "holds") == [
        "sklearn.pipeline.Pipeline that ends in sklearn.linear_model._base.LinearRegression"
    ]
    assert facts(report, "framework") == ["scikit-learn"]
    assert facts(report, "opening") == ["runs the code that is in it"]
    assert facts(report, "made with") == [INSTALLED]
    assert facts(report, "imports")[0].startswith(f"{INSTALLED}: sklearn.pipeline.Pipeline, ")
    assert report.text().endswith("\n\nverdict: no problem found\n")


def test_nothing_of_the_folder_runs(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    write = f"import pathlib\npathlib.Path({str(marker)!r}).write_text('')\n"
    report = look(
        tmp_path / "code",
        {
            "custom.py": f"{write}from parts import deep\n",
            "parts/__init__.py": write,
            "model.pkl": pickled(Evil(marker)),
        },
    )
    assert facts(report, "imports")[-1] == "Python: posix.mkdir"
    assert not marker.exists()


def test_every_problem_is_told(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "custom.py": "import absent_rope\ndef score(data): ...\n",
        "deep/custom.py": "",
        "model-metadata.yaml": "name: x\ntype: inference\ntargetTyp: binary\n",
        "a.pkl": b"",
        "b.joblib": b"",
    }
    report = look(tmp_path, files, positive_class_label="a")
    told = "\n".join(report.problems)
    assert len(report.problems) == 4
    for words in (
        "unknown key 'targetTyp'; did you mean 'targetType'?",
        "Found too many custom hook files, expected one custom.py: custom.py, deep/custom.py",
        "--positive-class-label and --negative-class-label go together",
        "Multiple serialized model files found: a.pkl, b.joblib",
    ):
        assert words in told
    assert report.notes == [f"{name} is empty: copy or save it again" for name in ("a.pkl", "b.joblib")]
    assert (report.exit_code, report.text().splitlines()[-1]) == (1, "verdict: 4 problems found")


@pytest.mark.parametrize(
    ("files", "given", "problem"),
    [
        ({"notes.md": ""}, {}, "Can not detect language by artifacts and/or custom.py/R files"),
        ({"custom.R": ""}, {}, "The language 'r' is not available in this version"),
        ({"model.pkl": b"x"}, {"language": "other"}, "The language 'other' is not available in this version"),
        ({"custom.py": ""}, {}, "Could not find a model artifact file"),
        ({"model.skops": SKOPS}, {}, "package 'skops' is not installed: pip install \"custom-model-runner[skops]\""),
        ({"custom.py": "def transform(data): ..."}, {"target_type": "transform"}, "takes 1 arguments by position"),
        ({"custom.py": "def score(:"}, {}, "custom.py, line 1 is not Python: invalid syntax"),
        ({"custom.py": "x = '\0'"}, {}, "custom.py"),
        (
            {"custom.py": SCORE},
            {"target_type": "unstructured"},
            "An unstructured model needs a score_unstructured hook",
        ),
        ({"model.pkl": b""}, {}, "model.pkl is empty: copy or save it again"),
        ({"model.pkl": b"hello"}, {}, "model.pkl cannot be read to its end: it is not a pickle"),
        ({"model.pkl": pickled(MODEL)[:-9]}, {}, "model.pkl cannot be read to its end: it is cut"),
        ({"model.pkl": b"\x80\x09."}, {}, "cannot be read to its end: the protocol 9 is newer than this Python"),
        ({"model.pkl": pickled(MODEL)}, {"no_pickle": True}, "--no-pickle refuses model.pkl: opening a .pkl file can"),
        (
            {"model.json": '{"learner"'},
            {},
            "the package 'xgboost' is not installed: pip install \"custom-model-runner[",
        ),
        (
            {"model.pkl": b"cxgboost\nBooster\n)R."},
            {},
            "needs xgboost.Booster: the package 'xgboost' is not installed: ",
        ),
        (
            {"model.pkl": b"cabsent_rope\nKnot\n)R."},
            {},
            "needs absent_rope.Knot: the package 'absent_rope' is not inst",
        ),
        ({"model.pkl": b"c__main__\nMine\n)R."}, {}, "needs __main__.Mine: was defined in a script or notebook; move"),
        (
            {"model.pkl": b"csklearn.gone\nOld\n)R."},
            {},
            f"needs sklearn.gone.Old: {INSTALLED} has no module 'sklearn.gone'",
        ),
        ({"model.pkl": b"cparts\nOld\n)R.", "parts.py": "x = 1"}, {}, "needs parts.Old: parts.py does not have it"),
        ({"model.pkl": b"cparts\nOld\n)R.", "parts.py": "x = ("}, {}, "needs parts.Old: its module is not Python"),
        (
            {"model.pkl": b"cparts.a\nOld\n)R.", "parts/b.py": ""},
            {},
            "needs parts.a.Old: parts.a is no module of the fol",
        ),
        ({"model.pkl": pickled({"a": MODEL})}, {}, "model.pkl holds a dict, expected a fitted model, or a score hook"),
        ({"model.pkl": pickled("secret")}, {}, "model.pkl holds a str, expected"),
        ({"model.pkl": pickled({1, 2})}, {}, "model.pkl holds a set, expected"),
        ({"model.pkl": pickled(np.ones(2))}, {}, "model.pkl holds numpy.ndarray, expected"),
        (
            {"model.pkl": pickled(LinearRegression)},
            {},
            "model.pkl holds the class or function sklearn.linear_model._base.",
        ),
    ],
)
def test_what_keeps_a_folder_from_being_loaded_is_a_problem(
    tmp_path: Path, files: dict[str, str | bytes], given: dict[str, Any], problem: str
) -> None:
    report = look(tmp_path, files, **given)
    assert [text for text in report.problems if problem in text], report.text()
    assert report.exit_code == 1
    assert "secret" not in report.text()


@pytest.mark.parametrize(
    "files",
    [
        {"custom.py": SCORE},
        {"custom.py": SCORE, "model.pkl": pickled({"a": 1})},
        {"custom.py": LOAD, "a.pkl": pickled(MODEL), "b.pkl": pickled(MODEL)},
        {"custom.py": "from parts import *\n", "parts.py": ""},
        {"custom.py": "def score_unstructured(model, data): ...\n"},
        {"model.pkl": b"cparts\nModel\n)R.", "parts.py": "from sklearn.linear_model import LinearRegression as Model"},
        {"model.pkl": b"cparts\nModel\n)R.", "parts.py": "from sklearn.linear_model import *"},
        {"model.pkl": b"cparts\nModel\n)R.", "parts.py": "def __getattr__(name): ..."},
        {"model.pkl": b"cparts\nModel\n)R.", "parts.py": "match 1:\n    case _:\n        class Model: ..."},
        {"model.pkl": b"cparts\nModel\n)R.", "parts.py": "for Model in (dict,): ..."},
        {"model.pkl": b"cparts\nModel\n)R.", "parts.py": "with open(__file__) as Model: ..."},
        {"model.pkl": b"ccustom\nModel.Inner\n)R.", "custom.py": "class Model:\n    class Inner: ...\n"},
        {"model.pkl": b"cparts.deep\nModel\n)R.", "src/custom.py": "", "src/parts/deep.py": "class Model: ..."},
        {
            "model.pkl": b"ccopy_reg\n_reconstructor\n(cparts\nModel\nc__builtin__\nobject\nNtR.",
            "parts.py": "Model = 1",
        },
    ],
)
def test_what_can_be_loaded_has_no_problem(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert look(tmp_path, files).problems == []


@pytest.mark.parametrize("arguments", ["data, model", "data, model, target"])
def test_the_hook_of_a_transform_model_needs_no_artifact_and_may_take_the_target(
    tmp_path: Path, arguments: str
) -> None:
    code = f"def transform({arguments}): ...\n"
    assert look(tmp_path, {"custom.py": code}, target_type="transform").problems == []


def test_an_artifact_that_only_a_hook_opens_is_looked_at_and_its_faults_are_notes(tmp_path: Path) -> None:
    report = look(tmp_path, {"custom.py": LOAD, "model.pkl": b"cabsent_rope\nKnot\n)R."})
    assert (report.problems, report.exit_code) == ([], 0)
    assert report.notes == ["model.pkl needs absent_rope.Knot: the package 'absent_rope' is not installed"]


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").symlink_to(tmp_path / "gone.pkl")
    assert look(tmp_path, {}).problems == ["model.pkl cannot be read: No such file or directory"]


def test_another_version_is_a_note(tmp_path: Path) -> None:
    data = pickle.dumps(MODEL, 2)
    here, old = (b"X" + len(text).to_bytes(4, "little") + text.encode() for text in (sklearn.__version__, "1.0.1"))
    report = look(tmp_path, {"model.pkl": data.replace(here, old)})
    assert (report.problems, facts(report, "made with")) == ([], ["scikit-learn 1.0.1"])
    assert report.notes == [
        f"model.pkl was made with scikit-learn 1.0.1, and {INSTALLED} is installed: "
        'pip install "scikit-learn==1.0.1", or train it again'
    ]


def test_what_cannot_be_told_is_called_unknown_and_nothing_is_called_clean(tmp_path: Path) -> None:
    report = look(
        tmp_path, {"model.pkl": b"cbuiltins\ngetattr\n(cparts\nModel\nS'x'\ntR.", "parts.py": "class Model: ..."}
    )
    assert facts(report, "unknown") == ["what builtins.getattr leads to"]
    assert not {"clean", "safe"} & set(report.text().replace(",", " ").split())


@pytest.mark.parametrize("compress", [0, 3])
def test_a_joblib_file_is_looked_into(tmp_path: Path, compress: int) -> None:
    joblib.dump([MODEL, pd.DataFrame({"a": [1.0]})], tmp_path / "model.joblib", compress=compress)
    report = look(tmp_path, {"custom.py": SCORE})
    assert facts(report, "unknown") == []
    assert any(line.startswith("pandas ") for line in facts(report, "imports"))


def test_an_archive_of_torch_is_looked_into(tmp_path: Path) -> None:
    report = look(tmp_path, {"model.pth": zipped("model/data.pkl", b"cparts\nNet\n)R."), "parts.py": "class Net: ..."})
    assert facts(report, "imports") == ["this folder: parts.Net"]
    assert (facts(report, "framework"), facts(report, "opening")) == (["torch"], ["runs code, if any is in it"])
    assert report.problems == [
        "model.pth: the package 'torch' is not installed: pip install \"custom-model-runner[torch]\""
    ]


def test_a_file_that_no_pickle_is_in_runs_no_code(tmp_path: Path) -> None:
    report = look(tmp_path, {"model.onnx": b"\x08\x07"})
    assert (facts(report, "framework"), facts(report, "opening")) == (["onnx"], ["runs no code that is in it"])


def test_what_is_packed_into_a_pickle_file_by_mistake_is_told(tmp_path: Path) -> None:
    report = look(tmp_path, {"model.pkl": gzip.compress(b"<html>")})
    assert "model.pkl is markup, such as a web page, compressed by gzip: unpack it; " in report.problems[0]


def test_the_target_is_that_of_options_and_metadata(tmp_path: Path) -> None:
    text = "name: x\ntype: inference\ntargetType: anomaly\n"
    report = look(tmp_path / "one", {"model.pkl": pickled(MODEL), "model-metadata.yaml": text})
    assert (facts(report, "target type"), facts(report, "metadata")) == (["anomaly"], ["model-metadata.yaml"])
    report = look(
        tmp_path / "two", {"model.pkl": pickled(MODEL), "model-metadata.yaml": text}, target_type="regression"
    )
    assert (
        "The target type in the options ('regression') and in model-metadata.yaml ('anomaly') differ" in report.problems
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"negative_class_label": "a", "positive_class_label": "b"}, "binary, by its labels"),
        ({"class_labels": ["a", "b", "c"]}, "multiclass, or multilabel if the model is, by its labels"),
    ],
)
def test_a_target_that_is_not_declared_is_told_by_its_labels(tmp_path: Path, given: dict[str, Any], told: str) -> None:
    assert facts(look(tmp_path, {"custom.py": SCORE}, **given), "target type") == [told]


def test_a_missing_package_is_one_problem_wherever_it_is_needed(tmp_path: Path) -> None:
    pickle_of_two = b"cxgboost\nBooster\n0cxgboost\nDMatrix\n)R."
    report = look(tmp_path, {"model.pkl": pickle_of_two, "custom.py": "import xgboost\nimport absent_rope\n"})
    assert len(report.problems) == 2
    assert len([text for text in report.problems if "'xgboost' is not installed" in text]) == 1


def test_a_call_of_no_known_framework_is_a_note_where_the_model_is_scored(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"model.pkl": b"cposix\nsystem\n(S'true'\ntR."}
    report = look(tmp_path / "alone", files)
    assert (report.problems, len(report.notes)) == ([], 1)
    assert report.notes[0].startswith("model.pkl holds posix.system, of no known framework: unless it is derived")
    assert look(tmp_path / "hook", {**files, "custom.py": SCORE}).notes == []


TWO = "A binary target needs two labels"
LABELS = {"negative_class_label": "a", "positive_class_label": "b"}
XGBOOST = '{"learner":{"objective":{"name":"%s","x":{}}},"version":[3,2,0]}'
UBJSON = b"{L\0\0\0\0\0\0\0\x07learner{objective{L\0\0\0\0\0\0\0\x04nameSL\0\0\0\0\0\0\0\x0fbinary:logistic}}"


@pytest.mark.parametrize(
    ("files", "given", "problem", "note"),
    [
        ({"model.json": XGBOOST % "binary:logistic"}, {}, TWO, ""),
        ({"model.json": XGBOOST % "multi:softprob"}, {}, "A multiclass target needs its labels", ""),
        ({"model.ubj": UBJSON}, {}, TWO, ""),
        ({"model.txt": "tree\nobjective=binary sigmoid:1\n"}, {}, TWO, ""),
        ({"model.json": XGBOOST % "reg:squarederror"}, {}, "", ""),
        (
            {"model.json": XGBOOST % "reg:squarederror"},
            {"target_type": "binary"},
            "A binary target needs two labels",
            "",
        ),
        ({"model.json": XGBOOST % "binary:logistic"}, LABELS, "", ""),
        ({"model.ubj": UBJSON[:-20]}, {}, "", "model.ubj does not tell its objective; if it has classes, give"),
        ({"model.ubj": UBJSON[:-20]}, LABELS, "", ""),
        ({"model.ubj": UBJSON[:-20]}, {"target_type": "regression"}, "", ""),
    ],
)
def test_labels_that_a_native_booster_will_lack_are_foreseen(
    tmp_path: Path, files: dict[str, str | bytes], given: dict[str, Any], problem: str, note: str
) -> None:
    report = look(tmp_path, files, **given)
    # The packages are not installed where the core is tested.
    told = [text for text in report.problems if "is not installed" not in text]
    assert [text[: len(problem)] for text in told] == ([problem] if problem else [])
    assert [text[: len(note)] for text in report.notes] == ([note] if note else [])


def test_the_version_in_a_native_model_is_shown_and_is_no_note(tmp_path: Path) -> None:
    data = b'{"learner":{' + b" " * 99 + b'},"version":[2,1,0]}'
    report = look(tmp_path, {"model.json": data}, target_type="regression")
    assert (facts(report, "made with"), report.notes) == (["XGBoost 2.1.0"], [])


# The file that extends the server.


def test_the_file_that_extends_the_server_is_looked_at(tmp_path: Path) -> None:
    code = "import parts, absent_rope\ndef init_app(app): ...\n"
    report = look(tmp_path, {"model.pkl": pickled(MODEL), "web/custom_flask.py": code, "web/parts.py": ""})
    assert facts(report, "server file") == ["web/custom_flask.py"]
    assert report.problems == ["custom_flask.py, line 1: the package 'absent_rope' is not installed"]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"custom_flask.py": "x = 1"}, "custom_flask.py must define a function init_app(app), but has none"),
        ({"custom_flask.py": "x = ("}, "custom_flask.py, line 1 is not Python: '(' was never closed"),
        (
            {"custom_flask.py": "", "a/custom_flask.py": ""},
            "Found too many Flask extensions, expected one ",
        ),
    ],
)
def test_a_file_that_cannot_extend_the_server_is_a_problem(
    tmp_path: Path, files: dict[str, str | bytes], problem: str
) -> None:
    [told] = look(tmp_path, {"model.pkl": pickled(MODEL), **files}).problems
    assert told.startswith(problem)


# The user file.


def test_hooks_are_shown_with_their_arguments(tmp_path: Path) -> None:
    code = f"{LOAD}if True:\n    def transform(data, model, /, *, extra=1): ...\nscore = None\nfrom parts import init\n"
    report = look(tmp_path, {"custom.py": code, "parts.py": ""})
    assert facts(report, "hooks") == ["init, load_model(code_dir), transform(data, model, /, *, extra=1), score"]


@pytest.mark.parametrize(
    ("hook", "is_fine"),
    [
        ("def score(data, model): ...", True),
        ("def score(data, model, **kwargs): ...", True),
        ("def score(*args): ...", True),
        ("def score(data, model, mimetype, *, class_labels): ...", True),
        ("def score(data, model, other=1): ...", True),
        ("def score(data, model, other): ...", False),
        ("def score(data, model, *, other): ...", False),
        ("def score(data): ...", False),
        ("@other\ndef score(data): ...", True),
        ("def transform(data, /): ...", False),
    ],
)
def test_a_hook_that_cannot_take_its_arguments_is_a_problem(tmp_path: Path, hook: str, is_fine: bool) -> None:
    report = look(tmp_path, {"custom.py": hook, "model.pkl": pickled(MODEL)})
    assert [text for text in report.problems if " hook has the signature " in text] == report.problems
    assert (report.problems == []) is is_fine


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("def scores(data, model): ...", "custom.py defines scores, which is no hook; did you mean 'score'?"),
        (
            "def post_proces(data, model): ...",
            "custom.py defines post_proces, which is no hook; did you mean 'post_process'?",
        ),
        ("def fit(X, y): ...", "custom.py defines fit, which this version does not call"),
        ("from parts import *", "custom.py takes names from elsewhere (import *): its hooks are unknown"),
        (
            "try:\n    import absent_rope\nexcept ImportError:\n    pass",
            "custom.py, line 2: the package 'absent_rope' is",
        ),
        ("def init():\n    import absent_rope", "custom.py, line 2: the package 'absent_rope' is not installed"),
    ],
)
def test_what_may_be_meant_otherwise_is_a_note(tmp_path: Path, code: str, note: str) -> None:
    report = look(tmp_path, {"custom.py": code, "model.pkl": pickled(MODEL), "parts.py": ""})
    assert [text for text in report.notes if text.startswith(note)], report.text()
    assert report.problems == [text for text in report.problems if "init" in text]


def test_an_async_hook_is_a_problem(tmp_path: Path) -> None:
    report = look(tmp_path, {"custom.py": "async def chat(params, model): ..."})
    assert report.problems == ["The chat hook is an async function, expected an ordinary one"]


def test_a_folder_that_only_chats_is_fine(tmp_path: Path) -> None:
    report = look(tmp_path, {"custom.py": "def chat(params, model, **kwargs): ..."})
    assert (report.problems, report.notes) == ([], [])


def test_a_function_of_its_own_is_no_hook_and_no_note(tmp_path: Path) -> None:
    report = look(tmp_path, {"custom.py": "def prepare(rows): ...\ndef _score(x): ...\n", "model.pkl": pickled(MODEL)})
    assert (report.notes, facts(report, "hooks")) == ([], ["none"])


def test_the_imports_of_the_user_file_are_shown_with_where_they_come_from(tmp_path: Path) -> None:
    code = "import os\nimport numpy.linalg\nfrom parts.deep import x\nfrom . import y\nfrom datarobot_drum import z\n"
    report = look(tmp_path, {"custom.py": code, "parts/deep.py": "x = 1", "model.pkl": pickled(MODEL)})
    assert facts(report, "imports")[0] == f"numpy (numpy {np.__version__}), parts (this folder)"
    assert report.problems == []


def test_an_import_that_the_user_file_cannot_do_without_is_a_problem(tmp_path: Path) -> None:
    report = look(tmp_path, {"custom.py": f"import absent_rope.knots\nimport scipy.gone\n{SCORE}"})
    assert report.problems[0] == "custom.py, line 1: the package 'absent_rope' is not installed"
    assert report.problems[1].endswith("has no module 'scipy.gone': another version is needed")
