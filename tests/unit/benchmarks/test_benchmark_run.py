"""A quick run from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.serving import CASES


def test_a_quick_run_prints_tables_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--contestants", "floor", "drum", "--results", str(tmp_path / "new")]) == 0
    printed = capsys.readouterr().out
    (written,) = (tmp_path / "new").glob("*.json")
    assert written.with_suffix(".md").read_text() == printed
    samples = json.loads(written.read_text())["samples"]
    http = [sample["figures"] for sample in samples if sample["section"] == "http"]
    assert len(http) == 2 * len(CASES)
    words = {verdict["word"] for verdict in json.loads(written.read_text())["verdicts"]}
    # There is no reference, and how fast this machine is is not known.
    assert len(words) > 1
    assert "not measured" in words
    for section in (
        "HTTP",
        "Batch",
        "Formats",
        "Observability",
        "Workers",
        "Cold start",
        "Command line",
        "Against the targets",
    ):
        assert f"## {section}" in printed
    assert "| start to end | drum score --help |" in printed
    for figures in http:
        assert figures["requests_per_second"] > 0
        assert figures["p99_seconds"] >= figures["p50_seconds"] > 0
        assert figures["peak_bytes"] > 10_000_000
        assert figures["cpu_seconds"] > 0


def test_a_contestant_that_can_not_start_ends_the_run_with_one_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quick", "--contestants", "drum", "--drum", str(tmp_path / "drum")]) == 1
    assert "benchmarks: error: " in capsys.readouterr().err
