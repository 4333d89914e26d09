"""One table in every format gives the same predictions; one answer in every format holds the same predictions."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from custom_model_runner.batch import local, plan
from custom_model_runner.plugins import ARROW_FILE, ARROW_STREAM, NDJSON, PARQUET
from custom_model_runner.predictor import Predictor, load
from custom_model_runner.settings import ScoreSettings

from .conftest import Server, serve
from .processes import drum

Rows = list[dict[str, float]]

ROWS = 60
HOOKS = """
import pandas

def score(data, model, binary_data, mimetype, **kwargs):
    return pandas.DataFrame({
        "Predictions": data.iloc[:, 0], "rank": range(len(data)), "good": data.iloc[:, 0] > 1, "word": "ö\\n",
        "day": pandas.Timestamp("2020-01-02 03:04:05"), "kind": mimetype, "size": len(binary_data),
    })
"""


def rows() -> bytes:
    """A table with numbers of all digits, whole numbers, gaps, truth values and text."""
    chosen = np.random.default_rng(7)
    lines = ["number,whole,gaps,flag,word"]
    for number in chosen.normal(size=ROWS).tolist():
        gap = "" if chosen.random() < 0.2 else repr(round(float(chosen.random()), 3))
        word = chosen.choice(["red", "green", "né à l'été", '"a, b"'])
        lines.append(f"{number!r},{chosen.integers(-9, 9)},{gap},{chosen.random() < 0.5},{word}")
    return "\n".join(lines).encode() + b"\n"


CSV = rows()
TABLE = pd.read_csv(io.BytesIO(CSV))
COLUMNS = {name: TABLE[name].astype(object).where(TABLE[name].notna(), None).tolist() for name in TABLE}
RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
SPLIT = {"columns": list(COLUMNS), "data": [list(record.values()) for record in RECORDS]}


def arrow(new: Callable[..., Any]) -> bytes:
    content = pa.Table.from_pandas(TABLE)
    sink = io.BytesIO()
    with new(sink, content.schema) as writer:
        writer.write_table(content, max_chunksize=ROWS // 2)
    return sink.getvalue()


def parquet() -> bytes:
    sink = io.BytesIO()
    TABLE.to_parquet(sink)
    return sink.getvalue()


# The body, its media type, and a suffix; none of it was written by the runner.
BODIES: Mapping[str, tuple[bytes, str, str]] = {
    "csv": (CSV, "text/csv", ".csv"),
    "records": (json.dumps(RECORDS).encode(), "application/json", ".json"),
    "split": (json.dumps(SPLIT).encode(), "application/json", ".json"),
    "columns": (json.dumps(COLUMNS).encode(), "application/json", ".JSON"),
    "ndjson": (b"\n".join(json.dumps(record).encode() for record in RECORDS), NDJSON, ".ndjson"),
    "json lines": (b"\n".join(json.dumps(record).encode() for record in RECORDS), "application/jsonlines", ".jsonl"),
    "arrow stream": (arrow(pa.ipc.new_stream), ARROW_STREAM, ".arrows"),
    "arrow file": (arrow(pa.ipc.new_file), ARROW_FILE, ".arrow"),
    "historic arrow": (arrow(pa.ipc.new_stream), "application/x-apache-arrow-stream", ".arrow"),
    "feather": (arrow(pa.ipc.new_file), ARROW_FILE, ".feather"),
    "parquet": (parquet(), PARQUET, ".parquet"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fitted pipeline that takes columns of every kind."""
    columns = make_column_transformer(
        (SimpleImputer(), ["number", "whole", "gaps"]), (OneHotEncoder(), ["word"]), ("passthrough", ["flag"])
    )
    model = make_pipeline(columns, LogisticRegression())
    model.fit(TABLE, ["yes" if number > 0 else "no" for number in TABLE["number"] * TABLE["whole"]])
    folder = tmp_path_factory.mktemp("model")
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> Rows:
    """What the model itself gives."""
    model = pickle.loads(folder.joinpath("model.pkl").read_bytes())
    return [dict(zip(model.classes_, row, strict=True)) for row in model.predict_proba(TABLE).tolist()]


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Iterator[Predictor]:
    with load(folder) as predictor:
        yield predictor


@pytest.mark.parametrize("name", BODIES)
def test_a_raw_body_gives_the_predictions_of_the_model_to_the_last_bit(
    server: Server, expected: Rows, name: str
) -> None:
    body, media_type, _ = BODIES[name]
    answer = server.post("/predict/", body, media_type)
    assert (answer.status_code, answer.json()) == (200, {"predictions": expected})


@pytest.mark.parametrize("name", BODIES)
def test_a_part_is_read_by_the_suffix_of_its_file(server: Server, expected: Rows, name: str) -> None:
    body, _, suffix = BODIES[name]
    answer = server.post("/predict/", files={"X": (f"rows{suffix}", body, "application/octet-stream")})
    assert (answer.status_code, answer.json()) == (200, {"predictions": expected})


@pytest.mark.parametrize("file_name", ["X", None], ids=["file", "field"])
@pytest.mark.parametrize("name", BODIES)
def test_a_part_without_a_suffix_is_read_by_its_content_type(
    server: Server, expected: Rows, name: str, file_name: str | None
) -> None:
    body, media_type, _ = BODIES[name]
    answer = server.post("/predict/", files={"X": (file_name, body, f"{media_type}; header=present")})
    assert (answer.status_code, answer.json()) == (200, {"predictions": expected})


def scored(predictor: Predictor, settings: ScoreSettings) -> bytes:
    """Return the output of a batch."""
    batch = plan.settle(settings, settings.output)
    return local.run(predictor, settings, batch, local.read(predictor, batch), for_terminal=False)


@pytest.mark.parametrize("name", BODIES)
def test_a_batch_reads_a_file_by_its_suffix(predictor: Predictor, expected: Rows, tmp_path: Path, name: str) -> None:
    body, _, suffix = BODIES[name]
    (tmp_path / f"rows{suffix}").write_bytes(body)
    settings = ScoreSettings(input=str(tmp_path / f"rows{suffix}"), output=tmp_path / "predictions.json")
    assert json.loads(scored(predictor, settings)) == {"predictions": expected}


def bits(frame: pd.DataFrame) -> list[list[bytes]]:
    return [[struct.pack("<d", value) for value in frame[name].astype(float)] for name in ("no", "yes")]


READERS: Mapping[str, Callable[[bytes], pd.DataFrame]] = {
    "text/csv": lambda data: pd.read_csv(io.BytesIO(data), dtype=str),
    NDJSON: lambda data: pd.DataFrame([json.loads(line) for line in data.splitlines()]),
    "application/jsonlines": lambda data: pd.DataFrame([json.loads(line) for line in data.splitlines()]),
    ARROW_STREAM: lambda data: pa.ipc.open_stream(data).read_pandas(),
    ARROW_FILE: lambda data: pa.ipc.open_file(data).read_pandas(),
    "application/x-apache-arrow-stream": lambda data: pa.ipc.open_stream(data).read_pandas(),
    PARQUET: lambda data: pq.read_table(io.BytesIO(data)).to_pandas(),
}


@pytest.mark.parametrize("media_type", READERS)
@pytest.mark.parametrize("path", ["/predict/", "/predictions/", "/invocations"])
def test_an_answer_is_what_accept_asks_for_and_keeps_every_bit(
    server: Server, expected: Rows, path: str, media_type: str
) -> None:
    answer = server.post(path, CSV, "text/csv", headers={"Accept": f"{media_type}, */*;q=0.1"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == media_type
    assert answer.headers["Vary"] == "Accept"
    assert bits(READERS[media_type](answer.content)) == bits(pd.DataFrame(expected))


@pytest.mark.parametrize(
    "header", [None, "*/*", "application/json", "application/*", "image/png", "junk", "text/csv;q=0"]
)
def test_any_other_accept_gets_json(server: Server, expected: Rows, header: str | None) -> None:
    answer = server.post("/predict/", CSV, "text/csv", headers={"Accept": header})
    assert (answer.status_code, answer.json()) == (200, {"predictions": expected})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Vary"] == "Accept"


def test_an_error_is_json_whatever_accept_asks_for(server: Server) -> None:
    answer = server.post("/predict/", b"PAR1", PARQUET, headers={"Accept": PARQUET})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/json")
    assert answer.json() == {"message": "ERROR: The Parquet input is broken or cut short"}


SUFFIXES = {".csv": "text/csv", ".ndjson": NDJSON, ".jsonl": NDJSON, ".parquet": PARQUET, ".pq": PARQUET}
SUFFIXES |= {
    ".arrow": ARROW_FILE,
    ".feather": ARROW_FILE,
    ".ipc": ARROW_FILE,
    ".arrows": ARROW_STREAM,
    ".CSV": "text/csv",
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_batch_writes_what_the_suffix_says(predictor: Predictor, expected: Rows, tmp_path: Path, suffix: str) -> None:
    media_type = SUFFIXES[suffix]
    (tmp_path / "rows.csv").write_bytes(CSV)
    settings = ScoreSettings(input=str(tmp_path / "rows.csv"), output=tmp_path / f"predictions{suffix}")
    written = READERS[media_type](scored(predictor, settings))
    assert bits(written) == bits(pd.DataFrame(expected))


@pytest.mark.parametrize("name", ["predictions", "predictions.txt", "predictions.csv.old"])
def test_a_batch_writes_csv_to_a_file_of_another_suffix(predictor: Predictor, tmp_path: Path, name: str) -> None:
    (tmp_path / "rows.csv").write_bytes(CSV)
    settings = ScoreSettings(input=str(tmp_path / "rows.csv"), output=tmp_path / name)
    assert scored(predictor, settings).startswith(b"no,yes\n")


def test_drum_score_goes_from_parquet_to_arrow(folder: Path, expected: Rows, tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(BODIES["parquet"][0])
    files = ["--input", str(tmp_path / "rows.parquet"), "--output", str(tmp_path / "predictions.arrow")]
    ended = drum("score", "--code-dir", folder, *files)
    assert ended.returncode == 0, ended.stderr
    written = pa.ipc.open_file((tmp_path / "predictions.arrow").read_bytes()).read_all()
    assert [field.type for field in written.schema] == [pa.float64(), pa.float64()]
    assert written.to_pylist() == expected


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hooks")
    (folder / "custom.py").write_text(HOOKS)
    with serve(folder, "--target-type", "regression") as server:
        yield server


@pytest.mark.parametrize("media_type", [ARROW_STREAM, ARROW_FILE, PARQUET])
def test_extra_columns_keep_their_types(hooks: Server, media_type: str) -> None:
    body = json.dumps([{"x": 0.5}, {"x": None}]).encode()
    answer = hooks.post("/predict/", body, "application/json", headers={"Accept": media_type})
    table = pa.Table.from_pandas(READERS[media_type](answer.content))
    kinds = {field.name: field.type for field in table.schema}
    assert (kinds["Predictions"], kinds["rank"], kinds["good"]) == (pa.float64(), pa.int64(), pa.bool_())
    assert pa.types.is_timestamp(kinds["day"])
    assert table["Predictions"].to_pylist() == [0.5, None]
    assert table["word"].to_pylist() == ["ö\n", "ö\n"]


def test_ndjson_has_the_values_of_json(hooks: Server) -> None:
    body = json.dumps([{"x": 0.5}, {"x": None}]).encode()
    lines = hooks.post("/predict/", body, "application/json", headers={"Accept": NDJSON}).content.splitlines()
    plain = hooks.post("/predict/", body, "application/json").json()
    extra = plain["extraModelOutput"]
    assert [json.loads(line) for line in lines] == [
        {"Predictions": prediction, **dict(zip(extra["columns"], row, strict=True))}
        for prediction, row in zip(plain["predictions"], extra["data"], strict=True)
    ]


@pytest.mark.parametrize("name", BODIES)
def test_a_score_hook_sees_the_bytes_and_their_media_type(hooks: Server, name: str) -> None:
    body, media_type, _ = BODIES[name]
    answer = hooks.post("/predict/", body, media_type)
    assert answer.status_code == 200, answer.text
    extra = answer.json()["extraModelOutput"]
    assert (
        dict(zip(extra["columns"], extra["data"][0], strict=True)).items()
        >= {"kind": media_type, "size": len(body)}.items()
    )


def test_infinities_and_nan_reach_the_model(hooks: Server) -> None:
    table = pa.table({"x": [math.inf, -math.inf, math.nan, None, 1.5]})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    answer = hooks.post("/predict/", sink.getvalue(), PARQUET, headers={"Accept": "text/csv"})
    cells = [row[0] for row in csv.reader(io.StringIO(answer.text))]
    assert cells == ["Predictions", "inf", "-inf", "", "", "1.5"]
