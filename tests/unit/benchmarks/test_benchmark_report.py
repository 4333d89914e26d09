"""The tables and the JSON."""

from __future__ import annotations

import json

from benchmarks.report import markdown, to_json
from benchmarks.samples import Sample, summarise

SAMPLES = [
    Sample("batch", "reg, 10 rows", name, number, {"wall_seconds": wall, "cpu_seconds": 1, "peak_bytes": peak})
    for number in (1, 2)
    for name, wall, peak in (("floor", 2.0, 1e8), ("drum", 1.0 * number, 2e8))
]
FACTS = {"cores": 2, "packages": {"numpy": "2.0"}}


def test_the_table_shows_medians_ranges_and_ratios() -> None:
    text = markdown(FACTS, summarise(SAMPLES, ("floor", "reference")))
    assert text.splitlines() == [
        "- cores: 2",
        "- numpy: 2.0",
        "",
        "## Batch: the same format in and out (less is better)",
        "",
        "| case | contestant | wall s | range | x floor | CPU s | x floor | peak MB | x floor |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| reg, 10 rows | floor | 2.000 | 2.000 to 2.000 | 1.00 | 1.00 | 1.00 | 100 | 1.00 |",
        "| reg, 10 rows | drum | 1.500 | 1.000 to 2.000 | 0.75 | 1.00 | 1.00 | 200 | 2.00 |",
    ]


def test_a_line_without_a_ratio_leaves_its_cell_empty() -> None:
    alone = Sample("cold start", "bin", "drum", 1, {"wall_seconds": 1.0})
    compared = [Sample("cold start", "reg", name, 1, {"wall_seconds": 1.0}) for name in ("reference", "drum")]
    text = markdown({}, summarise([alone, *compared], ("reference",)))
    assert "| bin | drum | 1.000 | 1.000 to 1.000 |  |" in text
    assert "| reg | drum | 1.000 | 1.000 to 1.000 | 1.00 |" in text


def test_the_json_holds_facts_lines_and_every_sample() -> None:
    document = json.loads(to_json(FACTS, summarise(SAMPLES, ("floor",)), SAMPLES))
    assert document["cores"] == 2
    assert document["lines"][1]["ratios"] == {"floor": {"wall_seconds": 0.75, "cpu_seconds": 1.0, "peak_bytes": 2.0}}
    assert [sample["figures"]["wall_seconds"] for sample in document["samples"]] == [2.0, 1.0, 2.0, 2.0]
