"""A batch in blocks of rows: every format, standard streams, failures that name their place and leave nothing."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from custom_model_runner.batch import text
from custom_model_runner.errors import ContractError, InputError, PayloadTooLarge, RunnerError, UsageError

from ..folders import plant
from .runs import score

HOOKS = """
    import pandas as pd

    def score(data, model, **kwargs):
        kinds = ";".join(str(dtype) for dtype in data.dtypes)
        return pd.DataFrame({"Predictions": data["a"] / 2, "rows": len(data), "kinds": kinds})
"""
FRAME = pd.DataFrame({"a": [1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], "b": ["x", "y", None, "z", "x", "y", "z"]})
FOUR = b"a\n1\n2\n3\n4\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that tells how large each block is and of which types."""
    return plant(tmp_path / "code", {"custom.py": HOOKS})


def rows_file(path: Path) -> Path:
    """Write the rows in the format that a name tells."""
    if path.suffix == ".parquet":
        FRAME.to_parquet(path)
    elif path.suffix == ".arrow":
        pa.feather.write_feather(FRAME, path, chunksize=2)
    elif path.suffix == ".ndjson":
        FRAME.to_json(path, orient="records", lines=True)
    else:
        data = FRAME.to_csv(index=False).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": pd.read_csv,
    ".gz": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".arrow": pd.read_feather,
    ".ndjson": lambda path: pd.read_json(path, lines=True),
}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("in.csv", "out.parquet"),
        ("in.parquet", "out.arrow"),
        ("in.arrow", "out.ndjson"),
        ("in.ndjson", "out.csv.gz"),
        ("in.csv.gz", "out.csv"),
    ],
)
def test_every_format_goes_through_in_blocks(folder: Path, tmp_path: Path, source: str, target: str) -> None:
    score(folder, rows_file(tmp_path / source), output=tmp_path / target, batch_rows=3)
    found = READERS[Path(target).suffix](tmp_path / target)
    assert found["Predictions"].tolist() == (FRAME["a"] / 2).tolist()
    assert found["rows"].tolist() == [3, 3, 3, 3, 3, 3, 1]
    assert found["kinds"].nunique() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["code", source, target])


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], str]:
    """Return the name of standard input, which holds some data."""

    def fill(data: bytes) -> str:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        return "-"

    return fill


Pipe = Callable[[bytes], str]


def test_standard_streams_take_blocks_too(folder: Path, pipe: Pipe) -> None:
    rows = b"0.5,3,int64\n1.0,3,int64\n1.5,3,int64\n2.0,1,int64\n"
    assert score(folder, pipe(FOUR), batch_rows=3) == b"Predictions,rows,kinds\n" + rows


def test_formats_may_be_told(folder: Path, pipe: Pipe) -> None:
    data = pipe(b'{"a":1}\n{"a":2}\n')
    written = score(folder, data, batch_rows=1, input_format="ndjson", output_format="ndjson")
    assert written.splitlines()[1] == b'{"Predictions":1.0,"rows":1,"kinds":"int64"}'


def test_all_rows_are_handed_over_at_once_if_asked_for(folder: Path, pipe: Pipe) -> None:
    assert score(folder, pipe(FOUR), whole_file=True).count(b",4,int64") == 4


def test_json_on_standard_output_has_no_blocks(folder: Path, pipe: Pipe) -> None:
    assert json.loads(score(folder, pipe(FOUR), batch_rows=1, output_format="json"))["predictions"] == [0.5, 1, 1.5, 2]


def test_a_whole_file_has_no_blocks(folder: Path) -> None:
    with pytest.raises(UsageError, match="--whole-file and --batch-rows exclude each other"):
        score(folder, "-", whole_file=True, batch_rows=1)


@pytest.mark.parametrize(
    ("given", "told"),
    [({"batch_rows": 3}, "drum: the input is read as a whole: it is compressed as a whole\n"), ({}, "")],
)
def test_it_is_told_when_blocks_cannot_be_made_of_an_input(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, Any], told: str
) -> None:
    path = tmp_path / "in.parquet.gz"
    path.write_bytes(gzip.compress(rows_file(tmp_path / "in.parquet").read_bytes()))
    assert score(folder, path, **given).count(b",7,") == 7
    assert capsys.readouterr().err == told


def test_no_rows_give_a_header(folder: Path, pipe: Pipe) -> None:
    assert score(folder, pipe(b"a,b\n"), batch_rows=3) == b"Predictions\n"


def test_a_terminal_gets_the_beginning_and_the_end(folder: Path, pipe: Pipe) -> None:
    data = pipe(b"a\n" + b"".join(b"%d\n" % number for number in range(1000)))
    shown = score(folder, data, batch_rows=7, terminal=True).decode().splitlines()
    assert [line.split()[0] for line in shown[1:] if line] == [
        *map(str, range(10)),
        "..",
        *map(str, range(990, 1000)),
        "[1000",
    ]
    assert shown[-1] == "[1000 rows x 3 columns]"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,2\n\n3,4\n5,6\n7,8,9\n", "Expected 2 fields in line 6, saw 3"),
        (b'a,b\n1,"x\ny"\n1,2\n3,4\n5,6\n7,8,9\n', "Expected 2 fields in line 7, saw 3"),
        (b'"a\nb",b\n1,2\n1,2\n3,4\n5,6\n7,8,9\n1,2\n', "Expected 2 fields in line 7, saw 3"),
        (b'"a\nb",b\n1,2\n\n1,"x\ny"\n5,"6\n7\n', "the row in line 7 has quotes that never end"),
        (b"a,b\n1,2\n3,4\n5,6\n7,\xff\n", "in.csv: The CSV input .* encoding must be UTF-8, which line 5 is not"),
        (b"a\n1\n2\n3\n4\n\xff\n", "encoding must be UTF-8, which line 6 is not"),
        (b"a,\xff\n1,2\n", "encoding must be UTF-8, which line 1 is not"),
        (b'"a\nb",c\n1,2\n3,4\n"\n5",\xff\n', "encoding must be UTF-8, which line 6 is not"),
        ("a,b\n1,2\n".encode("utf-16"), "in.csv: The input, read as .*csv, looks like UTF-16 text, expected UTF-8"),
    ],
)
@pytest.mark.parametrize("block_rows", [2, None])
def test_what_is_wrong_is_told_by_its_line_however_it_is_read(
    folder: Path, tmp_path: Path, data: bytes, message: str, block_rows: int | None
) -> None:
    plant(tmp_path, {"in.csv": data})
    with pytest.raises(InputError, match=message):
        score(folder, tmp_path / "in.csv", output=tmp_path / "out.csv", batch_rows=block_rows)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "in.csv"]


@pytest.mark.parametrize(
    ("late", "message"),
    [
        (b"1.5,x", "line 7, column 'a' holds a number with a fraction, expected int64"),
        (b"1.0,x", "line 7, column 'a' holds a number with a fraction, expected int64"),
        (b"true,x", "line 7, column 'a' holds a truth value, expected int64"),
        (b",x", "line 7, column 'a' holds a missing value, expected int64"),
        (b"x,x", "line 7, column 'a' holds text, expected int64"),
        (b"99999999999999999999,x", "line 7, column 'a' holds an integer beyond 64 bits, expected int64"),
    ],
)
def test_a_pipe_that_contradicts_its_beginning_is_told_where(
    folder: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, late: bytes, message: str
) -> None:
    monkeypatch.setattr(text, "SAMPLE_BYTES", 15)
    data = b'a,b\n1,x\n2,"y\nz"\n3,x\n4,y\n%b\n' % late
    with pytest.raises(InputError, match=message) as caught:
        score(folder, pipe(data), batch_rows=1)
    assert "--whole-file" in str(caught.value)


def test_a_pipe_whose_late_values_fit_is_read_with_the_types_of_its_beginning(
    folder: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "SAMPLE_BYTES", 15)
    written = score(folder, pipe(b"a,b\n1.5,x\n2.5,y\n3,1\n,2\n"), batch_rows=1)
    assert len({line.split(b",")[2] for line in written.splitlines()[1:]}) == 1


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_the_beginning_of_a_pipe_may_end_within_a_row(
    folder: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    data = b"a,b\n1,True\n2,False\n-3,True\n4,False\n"
    monkeypatch.setattr(text, "SAMPLE_BYTES", data.index(b"-3") + 1)
    kinds = {line.split(b",")[2] for line in score(folder, pipe(data), batch_rows=rows).splitlines()[1:]}
    assert kinds == {b"int64;bool"}


def test_lines_of_a_pipe_may_be_cut_off_as_well(folder: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "SAMPLE_BYTES", 12)
    lines = pipe(b'{"a":1}\n{"a":2}\n{"a":3}\n')
    assert score(folder, lines, batch_rows=100, input_format="ndjson").count(b",3,int64") == 3


def test_a_pipe_that_has_ended_is_typed_by_all_of_it(folder: Path, pipe: Pipe) -> None:
    assert score(folder, pipe(b"a\n1\n2\n3.5\n"), batch_rows=1).count(b",1,float64") == 3


def test_line_ends_of_two_carriage_returns_are_left_to_pandas(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a\r\r\n1\r\r\n2\r\r\n")
    assert score(folder, path, batch_rows=1) == score(folder, path, whole_file=True)


def failing(expression: str) -> str:
    """Return a hook that returns something else for the rows behind the third."""
    return (
        "import pandas as pd\n"
        "def score(data, model, **kwargs):\n"
        f"    return {expression} if (data['a'] > 3).any() else data[['a']].set_axis(['Predictions'], axis=1)\n"
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("data[['a']][1:]", "Row 4 of the input: Expected one prediction per row"),
        (
            "pd.DataFrame({'Predictions': data['a'], 'x': 1})",
            "Row 4 of the input: The predictions have a column 'x' that",
        ),
    ],
)
def test_a_hook_that_fails_late_is_told_with_its_row_and_leaves_nothing(
    tmp_path: Path, pipe: Pipe, expression: str, message: str
) -> None:
    folder = plant(tmp_path / "code", {"custom.py": failing(expression)})
    with pytest.raises(RunnerError, match=message) as caught:
        score(folder, pipe(FOUR), output=tmp_path / "out.csv", batch_rows=3)
    assert caught.value.exit_code == ContractError.exit_code
    assert [path.name for path in tmp_path.iterdir()] == ["code"]


def test_a_full_disk_is_told(folder: Path, pipe: Pipe) -> None:
    with pytest.raises(RunnerError, match="No space left on device"):
        score(folder, pipe(b"a\n" + b"1\n" * 10_000), output=Path("/dev/full"), batch_rows=1000)


def test_a_parquet_file_cut_in_half_is_told(folder: Path, tmp_path: Path) -> None:
    path = rows_file(tmp_path / "in.parquet")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match="The Parquet input is broken or cut short"):
        score(folder, path, batch_rows=3)


def test_a_row_beyond_the_limit_is_told(folder: Path, tmp_path: Path) -> None:
    with (tmp_path / "in.csv").open("wb") as file:
        file.write(b"a\n1\n")
        # Sparse: it takes no room.
        file.truncate(70 << 20)
    with pytest.raises(PayloadTooLarge, match="The row in line 3 of the input has over 67108864 bytes, the limit"):
        score(folder, tmp_path / "in.csv", batch_rows=1)


GROWING = """
    import pathlib
    import pandas as pd

    def score(data, model, **kwargs):
        with pathlib.Path(__file__).parent.with_name("in.csv").open("a") as file:
            file.write({more})
        return data[["a"]].set_axis(["Predictions"], axis=1)
"""


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    folder = plant(tmp_path / "code", {"custom.py": GROWING.format(more="'1\\n'")})
    plant(tmp_path, {"in.csv": b"a\n" + b"1\n" * 2_000_000})
    with pytest.raises(InputError, match=r"in\.csv' was changed while it was read"):
        score(folder, tmp_path / "in.csv", output=tmp_path / "out.csv", batch_rows=100_000)
    assert not (tmp_path / "out.csv").exists()


PARTS = {"part-2.csv": b"a,b\n3,x\n4.5,y\n", "part-1.csv": b"a,b\n1,7\n2,8\n", "_SUCCESS": b"", ".hidden.csv": b"z\n"}


@pytest.mark.parametrize("name", ["", "*.csv"])
def test_several_files_are_one_input_in_the_order_of_their_names(folder: Path, tmp_path: Path, name: str) -> None:
    found = score(folder, plant(tmp_path / "in", PARTS) / name)
    assert [line.split(b",")[0] for line in found.splitlines()] == [b"Predictions", b"0.5", b"1.0", b"1.5", b"2.25"]
    assert {line.rpartition(b",")[2].split(b";")[0] for line in found.splitlines()[1:]} == {b"float64"}


def test_several_parquet_files_have_the_types_of_them_all(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, values in enumerate([[1, 2], [3, None]]):
        pd.DataFrame({"a": pd.Series(values, dtype="Int64")}).to_parquet(tmp_path / "in" / f"{number}.parquet")
    assert score(folder, tmp_path / "in").splitlines()[1] == b"0.5,2,float64"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"1.csv": b"a,b\n1,2\n", "2.csv": b"b,a\n1,2\n"}, "order than '1.csv': 'b' stands where 'a' does"),
        ({"1.csv": b"a,b\n1,2\n", "2.csv": b"a,B\n1,2\n"}, "'2.csv' has other columns, .*: it lacks 'b' and has 'B'"),
        ({"1.csv": b"# Read me\n", "2.csv": b"a\n1\n"}, "than '1.csv': it lacks '# Read me' and has 'a'"),
        ({"1.csv": b"a,b\n1,2\n", "2.csv": b"a,b\n1,2\n1,2,3\n"}, "2.csv: .* Expected 2 fields in line 3, saw 3"),
        ({"1.csv": b"a,b\n1,2\n", "2.parquet": b""}, "2.parquet' has another format than .*1.csv'"),
        ({"1.json": b"[]", "2.json": b"[]"}, "The input '1.json' can only be read alone"),
    ],
)
def test_files_that_do_not_fit_together_are_named(
    folder: Path, tmp_path: Path, files: dict[str, bytes], message: str
) -> None:
    with pytest.raises(RunnerError, match=message):
        score(folder, plant(tmp_path / "in", files), batch_rows=1)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"a": [1], "c": [1]}, "it lacks 'b' and has 'c'"),
        ({"b": [1], "a": [1]}, "'b' stands where 'a' does"),
        ({"a": [1], "b": [0.5]}, "column 'b' is double, expected int64"),
    ],
)
def test_parquet_files_that_do_not_fit_together_say_where(
    folder: Path, tmp_path: Path, other: dict[str, list[float]], message: str
) -> None:
    (tmp_path / "in").mkdir()
    pd.DataFrame({"a": [1], "b": [1]}).to_parquet(tmp_path / "in" / "0.parquet")
    pd.DataFrame(other).to_parquet(tmp_path / "in" / "1.parquet")
    with pytest.raises(InputError, match=f"'1.parquet' has other columns, types or order than '0.parquet': {message}"):
        score(folder, tmp_path / "in")


def test_files_of_the_same_name_are_told_apart_by_their_folders(folder: Path, tmp_path: Path) -> None:
    plant(tmp_path, {"in/x/1.csv": b"a\n1\n", "in/y/1.csv": b"b\n1\n"})
    with pytest.raises(InputError, match=r"The input 'y/1.csv' has other columns, .* than 'x/1.csv'"):
        score(folder, tmp_path / "in" / "**" / "*.csv")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"whole_file": True}, "--whole-file is given"),
        ({"output": "out.json"}, "the output is application/json"),
    ],
)
def test_what_keeps_several_files_from_being_read_is_told(
    folder: Path, tmp_path: Path, options: dict[str, Any], why: str
) -> None:
    plant(tmp_path, {"in/1.csv": b"a\n1\n", "in/2.csv": b"a\n1\n"})
    given = {name: tmp_path / value if name == "output" else value for name, value in options.items()}
    with pytest.raises(UsageError) as caught:
        score(folder, tmp_path / "in", **given)
    assert str(caught.value) == f"--input: all is handed over at once ({why}), expected one file, found 2"


@pytest.mark.parametrize("options", [{"batch_rows": 2}, {"workers": 2}])
def test_what_does_nothing_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    plant(tmp_path, {"in.json": b'[{"a": 1}, {"a": 2}]'})
    score(folder, tmp_path / "in.json", **options)
    flag = f"--{next(iter(options)).replace('_', '-')}"
    assert capsys.readouterr().err == (
        f"drum: all is handed over at once, regardless of {flag}, since it is application/json\n"
    )


@pytest.mark.parametrize("options", [{"batch_rows": 2}, {"whole_file": True}])
def test_keys_are_carried_along(folder: Path, pipe: Pipe, options: dict[str, Any]) -> None:
    found = score(folder, pipe(b"a,b,c\n1,x,7\n2,y,8\n3,,9\n"), passthrough=("c", "b"), **options)
    assert [line.split(b",")[3:] for line in found.splitlines()] == [
        [b"c", b"b"],
        [b"7", b"x"],
        [b"8", b"y"],
        [b"9", b""],
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("z", "b"), "the input lacks 1 of the columns: z"),
        (("kinds",), "the output has columns of these names already"),
    ],
)
def test_keys_that_cannot_be_carried_along_are_named(
    folder: Path, pipe: Pipe, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(RunnerError, match=message):
        score(folder, pipe(b"a,b,kinds\n1,x,7\n"), passthrough=names)
