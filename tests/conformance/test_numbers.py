"""Numbers keep every bit on every way out, and have one text."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import custom_model_runner
from custom_model_runner.data.payload import Payload

from .conftest import Server, serve
from .processes import drum

HOOKS = """
import os, struct
import pandas

def load_model(code_dir):
    with open(os.path.join(code_dir, "doubles"), "rb") as file:
        return [value for value, in struct.iter_unpack("<d", file.read())]

def score(data, model, **kwargs):
    return pandas.DataFrame({"Predictions": [model[row] for row in data["row"]]})
"""
BINARY = """
import pandas

def score(data, model, **kwargs):
    return pandas.DataFrame({"yes": data["p"], "no": 1 - data["p"]})
"""
SPECIAL = [1e-5, 1e16, 0.1 + 0.2, -0.0, 5e-324, float("nan"), 0.0, 1.0, -1.0, 42.0, 1e15, 1e22, 1e-4, 1 / 3]
SPECIAL += [123456789012345680.0, 9007199254740993.0, 1.7976931348623157e308, 2.2250738585072014e-308, 1e100]
ROWS = b"row\n" + b"".join(b"%d\n" % row for row in range(1000))


def thousand() -> list[float]:
    """The special ones, and doubles of any bits."""
    chosen = random.Random(7)
    numbers = list(SPECIAL)
    while len(numbers) < 1000:
        number = struct.unpack("<d", chosen.randbytes(8))[0]
        if abs(number) < float("inf"):
            numbers.append(number)
    return numbers


def bits(numbers: list[float]) -> list[bytes]:
    """Compare doubles by their bits; every NaN counts as the same."""
    return [b"nan" if math.isnan(number) else struct.pack("<d", number) for number in numbers]


NUMBERS = thousand()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(HOOKS)
    (folder / "doubles").write_bytes(struct.pack("<1000d", *NUMBERS))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serve(folder, "--target-type", "regression") as server:
        yield server


@pytest.fixture(scope="module")
def cells(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The cells that a batch writes to a file."""
    place = tmp_path_factory.mktemp("batch")
    (place / "in.csv").write_bytes(ROWS)
    files = ["--input", str(place / "in.csv"), "--output", str(place / "out.csv")]
    ended = drum("score", "--code-dir", folder, "--target-type", "regression", *files)
    assert ended.returncode == 0, ended.stderr
    header, *lines = (place / "out.csv").read_text().split("\n")
    assert header == "Predictions"
    assert lines.pop() == ""
    return ["" if line == '""' else line for line in lines]


def json_cells(body: bytes) -> list[str]:
    text = body.decode()
    assert text.startswith('{"predictions":[')
    assert text.endswith("]}")
    return text[len('{"predictions":[') : -2].split(",")


def test_a_batch_file_keeps_every_bit(cells: list[str]) -> None:
    assert bits([float(cell or "nan") for cell in cells]) == bits(NUMBERS)


@pytest.mark.parametrize("form", ["raw", "multipart file", "multipart field"])
def test_an_answer_keeps_every_bit(server: Server, form: str) -> None:
    if form == "raw":
        answer = server.post("/predict/", ROWS, "text/csv")
    else:
        answer = server.post("/predict/", files={"X": ("X.csv" if "file" in form else None, ROWS)})
    read = [float("nan") if value is None else value for value in json.loads(answer.content)["predictions"]]
    assert bits(read) == bits(NUMBERS)
    assert all(isinstance(value, float) for value in read)


def test_in_process_every_bit_is_kept(folder: Path) -> None:
    with custom_model_runner.load(folder, target_type="regression") as predictor:
        predictions = predictor.score(Payload.of(ROWS, "text/csv"))
    assert predictions.columns == ("Predictions",)
    assert bits(predictions.values[:, 0].tolist()) == bits(NUMBERS)


def test_csv_and_json_have_the_same_text(server: Server, cells: list[str]) -> None:
    answered = json_cells(server.post("/predict/", ROWS, "text/csv").content)
    assert ["" if text == "null" else text for text in answered] == cells


def test_the_text_is_the_shortest_and_keeps_the_point(cells: list[str]) -> None:
    for number, cell in zip(NUMBERS, cells, strict=True):
        if math.isnan(number):
            assert cell == ""
            continue
        assert "." in cell or "e" in cell, cell
        assert digits(cell) == digits(repr(number))


def digits(text: str) -> str:
    """Return the digits that matter: without sign, point, exponent and zeros around them."""
    return text.lstrip("-").split("e")[0].replace(".", "").strip("0")


def test_infinities_are_words_in_csv_and_null_in_json(tmp_path: Path) -> None:
    values = [float("inf"), float("-inf"), float("nan"), 1.0] * 250
    (tmp_path / "custom.py").write_text(HOOKS)
    (tmp_path / "doubles").write_bytes(struct.pack("<1000d", *values))
    (tmp_path / "in.csv").write_bytes(b"row\n0\n1\n2\n3\n")
    flags = ["--target-type", "regression"]
    ended = drum("score", "--code-dir", tmp_path, "--input", tmp_path / "in.csv", *flags)
    written = list(csv.reader(io.StringIO(ended.stdout.decode())))
    assert [row[0] if row else "" for row in written] == ["Predictions", "inf", "-inf", "", "1.0"]
    with serve(tmp_path, *flags) as server:
        answer = server.post("/predict/", b"row\n0\n1\n2\n3\n")
    assert answer.content == b'{"predictions":[null,null,null,1.0]}'


def test_probabilities_have_the_same_text_in_csv_and_json(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(BINARY)
    table = b"p\n0.30000000000000004\n1e-5\n1\n0\n0.1\n5e-324\n"
    (tmp_path / "in.csv").write_bytes(table)
    flags = ["--target-type", "binary", "--positive-class-label", "yes", "--negative-class-label", "no"]
    ended = drum("score", "--code-dir", tmp_path, "--input", tmp_path / "in.csv", *flags)
    written = list(csv.DictReader(io.StringIO(ended.stdout.decode())))
    with serve(tmp_path, *flags) as server:
        answer = server.post("/predict/", table)
    assert json.loads(answer.content, parse_float=str) == {"predictions": written}
    # Old readers of pandas are off by one in the last digit.
    (value, *_) = pd.read_csv(io.BytesIO(table))["p"].tolist()
    assert written[0] == {"yes": repr(value), "no": repr(1 - value)}
    assert {row["yes"] for row in written[2:4]} == {"1.0", "0.0"}
