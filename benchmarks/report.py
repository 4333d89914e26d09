"""The result: Markdown for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.samples import Line, Sample
from benchmarks.targets import Verdict


@dataclass(frozen=True)
class Column:
    """A figure, its heading, factor and digits, and whether its range over the rounds and its ratios are shown."""

    figure: str
    heading: str
    factor: float = 1.0
    digits: int = 1
    has_range: bool = False
    has_ratios: bool = False


@dataclass(frozen=True)
class Section:
    """A table of the report."""

    name: str
    title: str
    columns: tuple[Column, ...]


WALL = Column("wall_seconds", "wall s", digits=3, has_range=True, has_ratios=True)
PEAK = Column("peak_bytes", "peak MB", factor=1e-6, digits=0, has_ratios=True)

SECTIONS = (
    Section(
        "http",
        "HTTP: requests per second (more is better)",
        (
            Column("requests_per_second", "req/s", has_range=True, has_ratios=True),
            Column("p50_seconds", "p50 ms", factor=1e3, digits=2),
            Column("p99_seconds", "p99 ms", factor=1e3, digits=2),
            Column("cpu_seconds_per_request", "CPU ms/req", factor=1e3, digits=2, has_ratios=True),
            PEAK,
        ),
    ),
    Section(
        "batch",
        "Batch: the same format in and out (less is better)",
        (WALL, Column("cpu_seconds", "CPU s", digits=2, has_ratios=True), PEAK),
    ),
    Section(
        "formats",
        "Formats: read and written by the runner itself (less is better)",
        (
            Column("wall_seconds", "wall ms", factor=1e3, has_range=True, has_ratios=True),
            Column("cpu_seconds", "CPU ms", factor=1e3, has_ratios=True),
        ),
    ),
    Section(
        "observability",
        "Observability: a request inside the process, without and with metrics, logs and timing (less is better)",
        (Column("cpu_seconds_per_request", "CPU µs/req", factor=1e6, has_range=True, has_ratios=True),),
    ),
    Section(
        "workers",
        "Workers: memory of the whole server when all of them share one model (less is better)",
        (
            Column("memory_bytes", "MB", factor=1e-6, has_ratios=True),
            Column("model_bytes", "model MB", factor=1e-6, digits=0),
            Column("requests", "requests each", digits=0),
        ),
    ),
    Section("cold start", "Cold start: until the first prediction over HTTP (less is better)", (WALL,)),
    Section("command line", "Command line: start to end (less is better)", (WALL,)),
)


VERDICT = ("what", "verdict", "beside", "measured", "original / that", "result", "must", "aim")


def markdown(machine: Mapping[str, object], lines: Sequence[Line], verdicts: Sequence[Verdict] = ()) -> str:
    """Return the whole report for people."""
    parts = [_facts(machine)]
    for section in SECTIONS:
        own = [line for line in lines if line.section == section.name]
        if own:
            parts.append(f"## {section.title}\n\n{_table(section, own)}")
    if verdicts:
        parts.append(f"## Against the targets\n\n{_grid(VERDICT, map(_verdict, verdicts), words=3)}")
    return "\n\n".join(parts)


def to_json(
    facts: Mapping[str, object], lines: Sequence[Line], samples: Sequence[Sample], verdicts: Sequence[Verdict] = ()
) -> str:
    """Return the whole report for programs: facts, verdicts, medians and ratios, and every sample."""
    document = {
        **facts,
        "verdicts": [{**asdict(verdict), "result": verdict.result, "word": verdict.word} for verdict in verdicts],
        "lines": [asdict(line) for line in lines],
        "samples": [asdict(sample) for sample in samples],
    }
    return json.dumps(document, indent=1) + "\n"


def _facts(facts: Mapping[str, object]) -> str:
    flat = {**facts, **_mapping(facts.get("packages"))}
    return "\n".join(f"- {name}: {value}" for name, value in flat.items() if name != "packages")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _table(section: Section, lines: Sequence[Line]) -> str:
    baselines = [name for name in lines[0].ratios if any(line.ratios[name] for line in lines)]
    headings = ["case", "contestant"]
    for column in section.columns:
        headings += [column.heading, *(["range"] if column.has_range else [])]
        headings += [f"x {name}" for name in baselines if column.has_ratios]
    return _grid(headings, (_row(section, line, baselines) for line in lines), words=2)


def _grid(headings: Sequence[str], rows: Iterable[Sequence[str]], *, words: int) -> str:
    """Return a table whose first columns are words, and the others numbers."""
    rule = [*["---"] * words, *("---:" for _ in headings[words:])]
    return "\n".join(_cells(row) for row in (headings, rule, *rows))


def _verdict(verdict: Verdict) -> list[str]:
    target = verdict.target
    than = "from {:g}" if target.more_is_better else "to {:g}"
    bounds = ["" if bound is None else than.format(bound) for bound in (target.must, target.aim)]
    beside = "" if target.other is None else f"{target.other.contestant}, {target.other.case}"
    factor = "" if target.factor == 1.0 else _ratio(verdict.factor)
    return [target.what, verdict.word, beside, _ratio(verdict.measured), factor, _ratio(verdict.result), *bounds]


def _row(section: Section, line: Line, baselines: Sequence[str]) -> list[str]:
    row = [line.case, line.contestant]
    for column in section.columns:
        row.append(_number(line.medians[column.figure], column))
        if column.has_range:
            row.append(" to ".join(_number(value, column) for value in line.ranges[column.figure]))
        if column.has_ratios:
            row += [_ratio(line.ratios[name].get(column.figure)) for name in baselines]
    return row


def _number(value: float, column: Column) -> str:
    return f"{value * column.factor:,.{column.digits}f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _cells(values: Iterable[str]) -> str:
    return f"| {' | '.join(values)} |"
