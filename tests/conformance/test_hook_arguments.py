"""Every structured hook gets the arguments that its users were promised, over HTTP and in batch."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from .conftest import serve
from .processes import drum

# Writes each call, name by name, as one line of JSON.
SOURCE = """
import io, json, os
import pandas
from datarobot_drum import RuntimeParameters

def told(value):
    if isinstance(value, pandas.DataFrame):
        return ["DataFrame", [list(value.columns), value.values.tolist()]]
    if isinstance(value, bytes):
        return ["bytes", value.decode("latin-1")]
    if hasattr(value, "value"):
        return [type(value).__name__, value.value]
    return [type(value).__name__, value]

def record(hook, *args, **kwargs):
    call = {"hook": hook, "args": [told(arg) for arg in args]}
    call["kwargs"] = {name: told(value) for name, value in kwargs.items()}
    call["parameter"] = RuntimeParameters.get("LEVEL")
    with open(os.environ["RECORD"], "a") as file:
        file.write(json.dumps(call) + chr(10))

def init(*args, **kwargs):
    record("init", *args, **kwargs)

def read_input_data(*args, **kwargs):
    record("read_input_data", *args, **kwargs)
    return pandas.read_csv(io.BytesIO(args[0]))

def load_model(*args, **kwargs):
    record("load_model", *args, **kwargs)
    return "the model"

def transform(data, model):
    record("transform", data, model)
    return data.assign(transformed=1)

def score(data, model, **kwargs):
    record("score", data, model, **kwargs)
    columns = COLUMNS
    frame = pandas.DataFrame({name: [1 / len(columns)] * len(data) for name in columns})
    return frame.assign(extra="more")

def post_process(predictions, model):
    record("post_process", predictions, model)
    return predictions
"""
CSV = "a,ünï cödé; (%)\n1,x\n2,é\n".encode()
NAMES = ["a", "ünï cödé; (%)"]
ROWS = [[1, "x"], [2, "é"]]
CONTENT_TYPE = "text/csv; charset=Latin-1"


@dataclass(frozen=True)
class Kind:
    """A target type: its flags, the columns it predicts, and the keyword arguments only it has."""

    flags: list[str]
    columns: list[str]
    labels: dict[str, list[Any]]


KINDS = {
    "regression": Kind([], ["Predictions"], {}),
    "binary": Kind(
        ["--positive-class-label", "yes", "--negative-class-label", "no"],
        ["yes", "no"],
        {"positive_class_label": ["str", "yes"], "negative_class_label": ["str", "no"]},
    ),
    "multiclass": Kind(
        ["--class-labels", "red", "green", "blue 1"],
        ["red", "green", "blue 1"],
        {"class_labels": ["list", ["red", "green", "blue 1"]]},
    ),
}


def run(folder: Path, kind: str, way: str) -> list[dict[str, Any]]:
    """Score the table once and return the recorded calls."""
    wanted = KINDS[kind]
    (folder / "custom.py").write_text(SOURCE.replace("COLUMNS", repr(wanted.columns)))
    parameter = json.dumps({"type": "string", "payload": "high"})
    env = {"RECORD": str(folder / "record"), "MLOPS_RUNTIME_PARAM_LEVEL": parameter}
    flags = ["--target-type", kind, *wanted.flags]
    if way == "batch":
        (folder / "in.csv").write_bytes(CSV)
        files = ["--input", str(folder / "in.csv"), "--output", str(folder / "out.csv")]
        ended = drum("score", "--code-dir", folder, *files, *flags, env=env)
        assert ended.returncode == 0, ended.stderr
    else:
        with serve(folder, *flags, env=env) as server:
            answer = server.post("/predict/", CSV, CONTENT_TYPE)
            assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in (folder / "record").read_text().splitlines()]


@pytest.mark.parametrize("way", ["batch", "http"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_hook_gets_the_promised_arguments(tmp_path: Path, kind: str, way: str) -> None:
    wanted = KINDS[kind]
    calls = run(tmp_path, kind, way)
    order = ["init", "load_model", "read_input_data", "transform", "score", "post_process"]
    assert [call["hook"] for call in calls] == order
    by_hook = {call["hook"]: (call["args"], call["kwargs"]) for call in calls}
    body = ["bytes", CSV.decode("latin-1")]
    model = ["str", "the model"]
    table = ["DataFrame", [NAMES, ROWS]]
    transformed = ["DataFrame", [[*NAMES, "transformed"], [[*row, 1] for row in ROWS]]]
    assert by_hook["init"] == ([], {"code_dir": ["str", str(tmp_path)]})
    assert by_hook["load_model"] == ([["str", str(tmp_path)]], {})
    assert by_hook["read_input_data"] == ([body], {})
    assert by_hook["transform"] == ([table, model], {})
    charset = {"charset": ["str", "Latin-1"]} if way == "http" else {}
    named = {
        "binary_data": body,
        "mimetype": ["str", "text/csv"],
        "sparse_colnames": ["NoneType", None],
        "target_type": ["TargetType", kind],
    }
    assert by_hook["score"] == ([transformed, model], {**named, **charset, **wanted.labels})
    share = 1 / len(wanted.columns)
    predicted = ["DataFrame", [wanted.columns, [[share] * len(wanted.columns)] * 2]]
    assert by_hook["post_process"] == ([predicted, model], {})
    assert {call["parameter"] for call in calls} == {"high"}


def test_read_input_data_opens_the_door_to_any_content_type(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(
        "import json, pandas\n"
        "def read_input_data(data):\n    return pandas.DataFrame(json.loads(data))\n"
        "def score(data, model, **kwargs):\n    return data[['x']]\n"
    )
    with serve(tmp_path, "--target-type", "regression") as server:
        answer = server.post("/predict/", b'[{"x":1.5},{"x":2.5}]', "application/json")
        assert (answer.status_code, answer.json()) == (200, {"predictions": [1.5, 2.5]})
        part = server.post("/predict/", files={"X": ("X.json", b'[{"x":1.5}]', "application/json")})
        assert (part.status_code, part.json()) == (200, {"predictions": [1.5]})


TABLES = [
    "a b, c ,d.e,f-g,h[0],<i>,1\n1,2,3,4,5,6,7\n",
    '"a,b","c""d","e\nf",ünï\n1,2,3,4\n',
    "a,a,b,a,b\n1,2,3,4,5\n",
    "a,,b,\n1,2,3,4\n",
    "n,t\n1,x\nNA,\n,NaN\n",
]


@pytest.mark.parametrize("table", TABLES)
def test_names_and_values_reach_a_hook_as_pandas_reads_them(tmp_path: Path, table: str) -> None:
    (tmp_path / "custom.py").write_text(
        "def score(data, model, **kwargs):\n"
        "    data.to_pickle(OUT)\n"
        "    return data.iloc[:, :1].notna().astype(float)\n".replace("OUT", repr(str(tmp_path / "seen.pickle")))
    )
    (tmp_path / "in.csv").write_text(table, encoding="utf-8", newline="")
    files = ["--input", str(tmp_path / "in.csv"), "--output", str(tmp_path / "out.csv")]
    ended = drum("score", "--code-dir", tmp_path, "--target-type", "regression", *files)
    assert ended.returncode == 0, ended.stderr
    seen = pd.read_pickle(tmp_path / "seen.pickle")
    pd.testing.assert_frame_equal(seen, pd.read_csv(io.StringIO(table)))
