"""`drum new schema`: what a sample holds, printed, written or appended; and then enforced."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from .conftest import Drum, Plant


@pytest.fixture
def drum(warm_drum: Drum) -> Drum:
    return warm_drum


CSV = b"code,size,width\n007,1,0.5\n12,2,\n"
EXPECTED = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "size": {"type": "integer"},
        "width": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
    "required": ["code", "size", "width"],
}
METADATA = "# mine\nname: sizes\ntype: inference\ntargetType: regression\n"
CUSTOM = "def score(data, model):\n    return data[['size']] + data['code'].str.len().to_frame('size')\n"


@pytest.fixture
def folder(plant: Plant) -> Path:
    return plant("model", {"custom.py": CUSTOM, "model-metadata.yaml": METADATA, "sample.csv": CSV})


def test_the_schema_of_a_sample_is_printed(drum: Drum, folder: Path) -> None:
    done = drum("new", "schema", "--input", folder / "sample.csv")
    assert (done.returncode, done.stderr) == (0, b"")
    assert yaml.safe_load(done.stdout) == {"inputSchema": EXPECTED}
    assert done.stdout.startswith(b"# Inferred from sample.csv (2 rows): ")


def test_a_sample_may_come_in_any_format_and_from_standard_input(drum: Drum, tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    parquet = drum("new", "schema", "--input", tmp_path / "a.parquet")
    piped = drum("new", "schema", "--input", "-", stdin=b"a\n1\n")
    assert yaml.safe_load(parquet.stdout) == yaml.safe_load(piped.stdout)
    assert yaml.safe_load(piped.stdout)["inputSchema"]["properties"] == {"a": {"type": "integer"}}


def test_the_schema_is_written_to_a_file(drum: Drum, folder: Path) -> None:
    done = drum("new", "schema", "--input", folder / "sample.csv", "--output", folder / "schema.yaml")
    assert (done.returncode, done.stdout) == (0, b"")
    assert yaml.safe_load((folder / "schema.yaml").read_text()) == {"inputSchema": EXPECTED}


def test_the_schema_is_appended_to_the_metadata_and_enforced_from_then_on(drum: Drum, folder: Path) -> None:
    done = drum("new", "schema", "--input", folder / "sample.csv", "--code-dir", folder)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"drum: inputSchema appended to {folder}/model-metadata.yaml\n"
    text = (folder / "model-metadata.yaml").read_text()
    assert text.startswith(METADATA)
    assert yaml.safe_load(text)["inputSchema"] == EXPECTED
    good = drum("score", "--code-dir", folder, "--input", "-", stdin=b"width,size,code,more\n1,1,007,x\n")
    assert (good.returncode, good.stdout) == (0, b"Predictions\n4.0\n")
    bad = drum("score", "--code-dir", folder, "--input", "-", stdin=b"widht,size,code\n1,1,a\n1,one,b\n")
    assert (bad.returncode, bad.stdout) == (3, b"")
    assert bad.stderr.decode() == (
        "drum: error: Schema validation found mismatch between input dataset and the supplied schema: "
        "column 'width' is missing (found 'widht', did you mean 'width'?); "
        "column 'size' must be integer, found text in row 2\n"
    )


def complaint(done: subprocess.CompletedProcess[bytes], code: int) -> str:
    assert (done.returncode, done.stdout) == (code, b"")
    text = done.stderr.decode()
    assert text.startswith("drum: error: ")
    assert text.count("\n") == 1
    return text


def test_a_schema_is_not_appended_twice(drum: Drum, folder: Path) -> None:
    words = ("new", "schema", "--input", folder / "sample.csv", "--code-dir", folder)
    drum(*words)
    before = (folder / "model-metadata.yaml").read_text()
    assert "model-metadata.yaml has an inputSchema already" in complaint(drum(*words), 2)
    assert (folder / "model-metadata.yaml").read_text() == before


@pytest.mark.parametrize(
    ("content", "words", "code"),
    [
        (None, "has no model-metadata.yaml; without --code-dir the schema is printed", 2),
        ("{name: a, type: b, targetType: regression}", "nothing can be appended to model-metadata.yaml", 2),
        ("name: a\ncolour: b\n", "model-metadata.yaml:2: unknown key 'colour'", 4),
    ],
)
def test_metadata_that_cannot_be_added_to_stay_as_they_are(
    drum: Drum, folder: Path, content: str | None, words: str, code: int
) -> None:
    path = folder / "model-metadata.yaml"
    path.unlink()
    if content is not None:
        path.write_text(content)
    done = drum("new", "schema", "--input", folder / "sample.csv", "--code-dir", folder)
    assert words in complaint(done, code)
    assert (path.read_text() if path.exists() else None) == content


def test_a_sample_without_rows_or_without_a_table_has_no_schema(drum: Drum) -> None:
    assert "The sample has no rows" in complaint(drum("new", "schema", "--input", "-", stdin=b"a,b\n"), 6)
    assert "The CSV input is empty" in complaint(drum("new", "schema", "--input", "-"), 6)


def test_an_output_and_a_folder_exclude_each_other(drum: Drum, folder: Path) -> None:
    words = ("--input", folder / "sample.csv", "--code-dir", folder, "--output", folder / "o")
    assert "Give --output or --code-dir, not both" in complaint(drum("new", "schema", *words), 2)
