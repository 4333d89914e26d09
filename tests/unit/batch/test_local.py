"""One batch in this process: data for a program, a preview for a person."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
import pytest

from custom_model_runner import predictor
from custom_model_runner.data import answers
from custom_model_runner.errors import PayloadTooLarge, RunnerError, UsageError
from custom_model_runner.settings import ScoreSettings

from ..folders import plant
from .runs import whole

REGRESSION = """
    import pandas as pd

    def score(data, model, **kwargs):
        return pd.DataFrame({"Predictions": data["a"] / 4, "why": "x" * len(data)})
"""
UNSTRUCTURED = """
    def score_unstructured(model, data, **kwargs):
        query = repr(kwargs["query"])
        return {"text": "two\\nlines", "line": "one\\n", "bytes": b"abc", "none": None, "query": query}[data]
"""
OWN_READER = """
    import gzip
    import pandas as pd

    def read_input_data(data):
        return pd.DataFrame({"a": [float(gzip.decompress(data))]})

    def score(data, model, **kwargs):
        return data.rename(columns={"a": "Predictions"})
"""


def run(
    tmp_path: Path, hooks: str, data: bytes, *, name: str = "input.csv", for_terminal: bool = False, **options: Any
) -> bytes:
    folder = plant(tmp_path / "code", {"custom.py": hooks})
    plant(tmp_path, {name: data})
    settings = ScoreSettings(input=str(tmp_path / name), **options)
    with predictor.load(folder) as loaded:
        return whole(loaded, settings, for_terminal=for_terminal)


@pytest.fixture(autouse=True)
def _no_notice(capsys: pytest.CaptureFixture[str]) -> None:
    """Keep what was inferred out of the test report."""


def test_a_program_gets_csv_with_the_extra_columns(tmp_path: Path) -> None:
    assert run(tmp_path, REGRESSION, b"a\n1\n4\n") == b"Predictions,why\n0.25,xx\n1.0,xx\n"


def test_a_matrix_gets_its_column_names_from_the_settings(tmp_path: Path) -> None:
    matrix = b"%%MatrixMarket matrix coordinate real general\n2 2 1\n2 2 6\n"
    folder = plant(tmp_path / "code", {"custom.py": REGRESSION})
    plant(tmp_path, {"input.MTX": matrix})
    settings = ScoreSettings(input=str(tmp_path / "input.MTX"), column_names=("b", "a"))
    with predictor.load(folder) as loaded:
        assert whole(loaded, settings) == b"Predictions,why\n0.0,xx\n1.5,xx\n"


def test_a_person_gets_aligned_columns_and_their_number(tmp_path: Path) -> None:
    shown = run(tmp_path, REGRESSION, b"a\n1\n4\n", for_terminal=True).decode().splitlines()
    assert [line.split() for line in shown] == [
        ["Predictions", "why"],
        ["0", "0.25", "xx"],
        ["1", "1.00", "xx"],
        [],
        ["[2", "rows", "x", "2", "columns]"],
    ]


def test_a_person_gets_a_long_table_shortened(tmp_path: Path) -> None:
    rows = "\n".join(map(str, np.arange(1000)))
    shown = run(tmp_path, REGRESSION, f"a\n{rows}\n".encode(), for_terminal=True).decode()
    assert len(shown.splitlines()) < 50
    assert shown.endswith("[1000 rows x 2 columns]\n")


@pytest.mark.parametrize(("data", "expected"), [(b"text", b"two\nlines"), (b"line", b"one\n"), (b"bytes", b"abc")])
def test_a_program_gets_an_unstructured_reply_as_it_is(tmp_path: Path, data: bytes, expected: bytes) -> None:
    assert run(tmp_path, UNSTRUCTURED, data) == expected


@pytest.mark.parametrize("for_terminal", [True, False])
def test_a_hook_that_returns_nothing_is_told(tmp_path: Path, for_terminal: bool) -> None:
    assert b"returned None" in run(tmp_path, UNSTRUCTURED, b"none", for_terminal=for_terminal)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"text", b"two\nlines\n"),
        (b"line", b"one\n"),
        (b"bytes", b"3 bytes of application/octet-stream; --output FILE keeps them\n"),
    ],
)
def test_a_person_gets_text_with_a_line_end_and_no_bytes(tmp_path: Path, data: bytes, expected: bytes) -> None:
    assert run(tmp_path, UNSTRUCTURED, data, for_terminal=True) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [(None, b"{}"), ("a=1&b=x%20y", b"{'a': '1', 'b': 'x y'}"), ("a=1&a=2&b=", b"{'a': '2'}")],
)
def test_a_query_is_a_dict_whose_last_value_wins(tmp_path: Path, query: str | None, expected: bytes) -> None:
    assert run(tmp_path, UNSTRUCTURED, b"query", query=query) == expected


@pytest.mark.parametrize(("option", "value"), [("query", "a=1"), ("content_type", "text/plain")])
def test_options_of_unstructured_models_are_refused_for_others(tmp_path: Path, option: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} is for unstructured models"):
        run(tmp_path, REGRESSION, b"a\n1\n", **cast("dict[str, Any]", {option: value}))


@pytest.mark.parametrize(
    ("option", "value"),
    [("passthrough", ("a",)), ("batch_rows", 5), ("column_names", ("a",)), ("output_format", "csv")],
)
def test_options_for_tables_are_refused_for_unstructured_models(tmp_path: Path, option: str, value: Any) -> None:
    with pytest.raises(UsageError, match=r"^--.* is for tables; this model is unstructured"):
        run(tmp_path, UNSTRUCTURED, b"text", **cast("dict[str, Any]", {option: value}))


@pytest.mark.parametrize("name", ["o.xlsx", "o.csv.BZ2", "o.pkl.gz"])
def test_a_name_that_tells_another_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"^--output: predictions are not written as \.\w+, expected one of: \.csv, "):
        run(tmp_path, REGRESSION, b"a\n1\n", output=tmp_path / name)
    run(tmp_path, REGRESSION, b"a\n1\n", output=tmp_path / name, output_format="csv")


def test_any_other_name_gets_csv(tmp_path: Path) -> None:
    assert run(tmp_path, REGRESSION, b"a\n1\n", output=tmp_path / "o.2026").startswith(b"Predictions,why\n")


@pytest.mark.parametrize("name", ["o.mtx", "o.mtx.gz"])
def test_predictions_are_not_written_as_a_matrix(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"^--output: predictions are not written as text/mtx, .*: \.csv, .*, \.pq$"):
        run(tmp_path, REGRESSION, b"a\n1\n", output=tmp_path / name)


def test_column_names_are_for_tables_that_have_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--sparse-column-file is for MatrixMarket inputs"):
        run(tmp_path, REGRESSION, b"a\n1\n", column_names=("a",))


def test_a_reader_of_the_folder_may_be_given_column_names(tmp_path: Path) -> None:
    assert run(tmp_path, OWN_READER, gzip.compress(b"2.5"), column_names=("a",)) == b"Predictions\n2.5\n"


def test_a_compressed_table_is_decoded_and_an_output_compressed_by_its_suffix(tmp_path: Path) -> None:
    output = tmp_path / "out.csv.gz"
    written = run(tmp_path, REGRESSION, gzip.compress(b"a\n1\n"), name="input.csv.gz", output=output)
    assert gzip.decompress(written) == b"Predictions,why\n0.25,x\n"


def test_a_folder_with_a_reader_gets_a_compressed_file_as_it_is(tmp_path: Path) -> None:
    assert run(tmp_path, OWN_READER, gzip.compress(b"2.5"), name="input.csv.gz") == b"Predictions\n2.5\n"


def test_an_unstructured_folder_gets_and_gives_files_as_they_are(tmp_path: Path) -> None:
    hooks = "def score_unstructured(model, data, **kwargs):\n    return data\n"
    data = gzip.compress(b"anything")
    options: dict[str, Any] = {"output": tmp_path / "out.gz", "content_type": "application/gzip"}
    assert run(tmp_path, hooks, data, name="input.gz", **options) == data


def test_a_compressed_table_is_by_default_limited_by_the_memory_that_is_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=10_000))
    run(tmp_path, REGRESSION, gzip.compress(b"a\n" + b"1\n" * 4999), name="input.csv.gz")
    with pytest.raises(PayloadTooLarge, match="more than the limit of 10000 bytes"):
        run(tmp_path / "2", REGRESSION, gzip.compress(b"a\n" + b"1\n" * 5000), name="input.csv.gz")


def test_an_option_limits_what_a_table_may_take_beyond_its_file(tmp_path: Path) -> None:
    names = ",".join(f"c{number}" for number in range(100))
    short_rows = f"a,{names}\n".encode() + b"1\n" * 1000
    with pytest.raises(PayloadTooLarge, match=r"more than 500000 bytes \(--max-decoded-bytes\)"):
        run(tmp_path, REGRESSION, short_rows, max_decoded_bytes=500_000)


def test_a_batch_for_which_the_memory_does_not_suffice_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(answers, "write", fail)
    with pytest.raises(PayloadTooLarge, match="needs more memory than there is"):
        run(tmp_path, REGRESSION, b"a\n1\n")


@pytest.mark.parametrize(
    ("hooks", "data", "message"),
    [
        (REGRESSION, b"b\n1\n2\n", r"^Rows 1 to 2 of 'input.csv': The score hook raised. Exception: KeyError\('a'\)"),
        (REGRESSION, b"b\n1\n", "^Row 1 of 'input.csv': The score hook raised"),
        # How many rows a reader of its own has found is known to nobody else.
        (OWN_READER, b"not gzip", "^'input.csv': The read_input_data hook raised. Exception: BadGzipFile"),
    ],
)
def test_a_failure_names_the_file_and_the_rows(tmp_path: Path, hooks: str, data: bytes, message: str) -> None:
    with pytest.raises(RunnerError, match=message) as caught:
        run(tmp_path, hooks, data)
    assert caught.value.exit_code == 5
