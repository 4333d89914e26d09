"""Whatever is wrong: one clear line, the right exit code, no data shown, no output touched."""

from __future__ import annotations

import pickle
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from .conftest import Drum, Plant


@pytest.fixture
def drum(warm_drum: Drum) -> Drum:
    return warm_drum


# Stands in every input, and must stand in no message.
MARKER = "s3cret"
DATA = f"a,b,c\n1,2,{MARKER}\n3,4,{MARKER}\n".encode()
FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
ARTIFACT = pickle.dumps(LinearRegression().fit(FRAME, [0.1, 1.0, 2.5]))
CATEGORIES = pickle.dumps(LinearRegression().fit(FRAME.rename(columns={"a": "c"}), [0.1, 1.0, 2.5]))
ONES = "import pandas as pd\ndef score(data, model):\n    return pd.DataFrame({'Predictions': [1.0] * len(data)})\n"
CLIENT_ERROR = """
    from datarobot_drum import CustomHTTPError

    def score(data, model):
        raise CustomHTTPError("no\\nsuch ship", 404)
"""
BINARY = ("--positive-class-label", "yes", "--negative-class-label", "no")


def scored(expression: str) -> dict[str, str | bytes]:
    """A folder whose score hook returns this."""
    return {"custom.py": f"import pandas as pd\ndef score(data, model, **kwargs):\n    return {expression}\n"}


@dataclass(frozen=True)
class Case:
    """A folder, options and an input that cannot be scored."""

    name: str
    exit_code: int
    message: str
    files: dict[str, str | bytes]
    words: Sequence[str] = ()
    data: bytes = DATA
    env: dict[str, str] = field(default_factory=dict)


CASES = [
    # The folder.
    Case("an empty folder", 4, "Can not detect language by artifacts and/or custom.py/R files", {}),
    Case(
        "two artifacts",
        4,
        "Multiple serialized model files found: a.pkl, b.pkl",
        {"a.pkl": ARTIFACT, "b.pkl": ARTIFACT},
    ),
    Case("no artifact", 4, "Could not find a model artifact file", {"custom.py": "def transform(data, model): pass\n"}),
    Case("a broken pickle", 4, "An error occurred when loading your artifact: model.pkl", {"model.pkl": b"no pickle"}),
    Case(
        "a pickle of a dict",
        4,
        "Could not find any framework to handle loaded model and a score hook is not provided: found a dict",
        {"model.pkl": pickle.dumps({"a": 1})},
    ),
    Case(
        "a pickle of a transformer",
        4,
        "StandardScaler has no predict",
        {"model.pkl": pickle.dumps(StandardScaler().fit(FRAME))},
        ("--target-type", "regression"),
    ),
    Case("another language", 4, "The language 'r' is not available", {"model.rds": b""}),
    Case("a user file that exits", 4, "Failed loading hooks from [", {"custom.py": "import sys\nsys.exit(0)\n"}),
    Case("a user file without its library", 4, "No module named 'absent'", {"custom.py": "import absent\n"}),
    Case(
        "an unstructured target without its hook",
        4,
        "An unstructured model needs a score_unstructured hook",
        scored("5"),
        ("--target-type", "unstructured"),
    ),
    # Hooks.
    Case(
        "a hook with a wrong signature",
        4,
        "The score hook has the signature score(data), expected 2 positional argument(s)",
        {"custom.py": "def score(data): pass\n"},
    ),
    Case(
        "a load_model that returns nothing",
        4,
        "The load_model hook returned None",
        {"custom.py": f"def load_model(d): pass\n{ONES}"},
    ),
    Case("a hook that returns a list", 5, "The score hook returned list, expected a DataFrame", scored("[1.0, 2.0]")),
    Case("a hook that exits", 5, "The score hook raised. Exception: SystemExit(0)", scored("exit(0)")),
    Case("a hook that raises", 5, "The score hook raised. Exception: ZeroDivisionError(", scored("1 / 0")),
    Case(
        "a read_input_data that returns nothing",
        5,
        "The read_input_data hook returned None",
        {"custom.py": f"def read_input_data(data): pass\n{ONES}"},
    ),
    Case(
        "a hook that raises an error for the client",
        5,
        "drum: error: Rows 1 to 2 of the input: no such ship",
        {"custom.py": CLIENT_ERROR},
    ),
    # What hooks predict.
    Case(
        "wrong labels",
        5,
        "Expected predictions to have columns ['yes', 'no'], but encountered ['ja', 'nein']",
        scored("pd.DataFrame({'ja': [0.5, 0.5], 'nein': [0.5, 0.5]})"),
        BINARY,
    ),
    Case(
        "probabilities that do not add up",
        5,
        "do not add up to 1 in 1 of 2 rows",
        scored("pd.DataFrame({'yes': [0.5, 0.5], 'no': [0.5, 0.4]})"),
        BINARY,
    ),
    Case(
        "too few predictions",
        5,
        "2 rows, but 1 predictions",
        scored("pd.DataFrame({'Predictions': [1.0]})"),
    ),
    Case("text where numbers belong", 5, "Expected numbers as predictions", scored("data[['c']]")),
    # The input.
    Case("an empty input", 6, "The CSV input is empty", scored("5"), data=b""),
    Case(
        "a broken CSV", 6, "Expected 2 fields in line 3, saw 3", scored("5"), data=f"a,b\n1,2\n{MARKER},2,3\n".encode()
    ),
    Case("a shifted CSV", 6, "more fields than the header", scored("5"), data=f"a,b\n1,2,{MARKER}\n".encode()),
    Case("another encoding", 6, "encoding must be UTF-8", scored("5"), data=f"a\n{MARKER}\xe9\n".encode("latin-1")),
    Case(
        "a column that is not there",
        6,
        "lacks 1 of the columns that the model was fitted on: a",
        {"model.pkl": ARTIFACT},
        data=f"b,c\n1,{MARKER}\n".encode(),
    ),
    Case("text in a column of numbers", 6, "columns that are not numeric: c", {"model.pkl": CATEGORIES}),
    # Unstructured input.
    Case(
        "an unknown charset",
        6,
        "The charset 'klingon' is unknown",
        {"custom.py": "def score_unstructured(model, data): return data\n"},
        ("--content-type", "text/plain; charset=klingon"),
    ),
    Case(
        "text in another charset",
        6,
        "is not valid utf-8 text",
        {"custom.py": "def score_unstructured(model, data): return data\n"},
        data=f"{MARKER}\xe9".encode("latin-1"),
    ),
    Case(
        "an unstructured hook that returns a number",
        5,
        "The score_unstructured hook returned int as data, expected str or bytes",
        {"custom.py": "def score_unstructured(model, data): return 5\n"},
    ),
    # Options.
    Case("half of the labels", 2, "go together", scored("5"), ("--positive-class-label", "yes")),
    Case("one class label", 2, "found 1 class label(s), expected at least 2", scored("5"), ("--class-labels", "a")),
    Case("a query for a table", 2, "--query is for unstructured models", scored("5"), ("--query", "a=1")),
    Case(
        "an unknown target type in a variable",
        2,
        "variable TARGET_TYPE: invalid value 'x'",
        scored("5"),
        env={"TARGET_TYPE": "x"},
    ),
    Case(
        "options against metadata",
        2,
        "The target type in the options ('regression') and in model-metadata.yaml ('anomaly') differ",
        {"model-metadata.yaml": "name: x\ntype: inference\ntargetType: anomaly\n", **scored("5")},
        ("--target-type", "regression"),
    ),
    Case("a missing labels file", 2, "cannot be read: No such file", scored("5"), ("--class-labels-file", "/absent")),
    Case(
        "class labels given twice",
        2,
        "--class-labels",
        {"labels": "a\nb\n", **scored("5")},
        ("--class-labels", "a", "b", "--class-labels-file", "{folder}/labels"),
    ),
]


def complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """The one line that is not a notice."""
    lines = [line for line in done.stderr.decode().splitlines() if not re.match(r"drum: (?!error: )", line)]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_wrong_is_one_line_that_shows_no_data(drum: Drum, plant: Plant, tmp_path: Path, case: Case) -> None:
    folder = plant("code", case.files)
    results = plant("results", {"out.csv": "old"})
    words = [word.format(folder=folder) for word in case.words]
    done = drum(
        "score", "-cd", folder, "--input", "-", "--output", results / "out.csv", *words, stdin=case.data, env=case.env
    )
    line = complaint(done)
    assert line.startswith("drum: error: ")
    assert case.message in line
    assert (done.returncode, done.stdout) == (case.exit_code, b"")
    assert MARKER not in done.stderr.decode()
    assert [(path.name, path.read_bytes()) for path in results.iterdir()] == [("out.csv", b"old")]


@pytest.fixture
def folder(plant: Plant) -> Path:
    """A folder that works."""
    return plant("code", {"custom.py": ONES, "data.csv": DATA})


def test_a_missing_folder_is_a_usage_error(drum: Drum, folder: Path) -> None:
    done = drum("score", "-cd", folder / "gone", "--input", folder / "data.csv")
    assert re.fullmatch(
        r"drum: error: --code-dir: '.*gone' is not there, expected an existing directory", complaint(done)
    )
    assert done.returncode == 2


def test_a_missing_input_is_a_usage_error(drum: Drum, folder: Path) -> None:
    done = drum("score", "-cd", folder, "--input", folder / "gone.csv")
    assert re.fullmatch(
        r"drum: error: --input: '.*gone.csv' is not there, expected an existing file, .*", complaint(done)
    )
    assert done.returncode == 2


def test_an_output_that_is_the_input_is_refused_and_the_input_stays(drum: Drum, folder: Path) -> None:
    done = drum("score", "-cd", folder, "--input", folder / "data.csv", "--output", folder / "data.csv")
    assert "is the input file itself" in complaint(done)
    assert (done.returncode, (folder / "data.csv").read_bytes()) == (2, DATA)


def test_an_output_in_a_folder_that_is_not_there_is_refused(drum: Drum, folder: Path) -> None:
    done = drum("score", "-cd", folder, "--input", folder / "data.csv", "--output", folder / "gone" / "out.csv")
    assert (done.returncode, "is not there" in complaint(done)) == (2, True)


@pytest.mark.parametrize(
    ("words", "env", "expected"),
    [
        ((), {}, False),
        (("--show-stacktrace",), {}, True),
        ((), {"SHOW_STACKTRACE": "1"}, True),
        ((), {"SHOW_STACKTRACE": "0"}, False),
    ],
)
def test_the_traceback_of_user_code_is_shown_to_who_asks(
    drum: Drum, plant: Plant, words: tuple[str, ...], env: dict[str, str], expected: bool
) -> None:
    done = drum("score", "-cd", plant("code", scored("1 / 0")), "--input", "-", *words, stdin=DATA, env=env)
    told = done.stderr.decode()
    assert ("Traceback" in told, "return 1 / 0" in told) == (expected, expected)
    assert told.splitlines()[-1].startswith("drum: error: Rows 1 to 2 of the input: The score hook raised. Exce")
