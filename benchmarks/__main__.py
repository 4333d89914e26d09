"""Run the benchmark: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import chain, product
from pathlib import Path

import psutil

from benchmarks import (
    batch,
    contestants,
    formats,
    machine,
    models,
    observability,
    plan,
    report,
    serving,
    startup,
    targets,
    tree,
    workers,
)
from benchmarks.agreement import Disagreement
from benchmarks.contestants import Contestant
from benchmarks.load import LoadError
from benchmarks.models import BenchModel
from benchmarks.plan import Plan
from benchmarks.processes import ContestantError
from benchmarks.samples import Sample, summarise

BASELINES = ("floor", "reference", "other", formats.CSV, startup.BARE, observability.OFF)
# Commands take milliseconds, so their medians can afford more rounds.
COMMAND_LINE_ROUNDS = 5
OBSERVABILITY_ROUNDS = 6
FORMAT_ROWS = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, write the JSON; return the exit code."""
    todo = plan.read(arguments)
    facts = _facts(todo)
    try:
        with tempfile.TemporaryDirectory(prefix="drum-bench-") as workspace:
            samples = list(_progress(_measure(todo, Path(workspace).resolve())))
    except (ContestantError, LoadError, Disagreement) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 1
    lines, verdicts = summarise(samples, BASELINES), targets.judge(samples, rows=todo.rows)
    text = report.markdown(facts, lines, verdicts)
    print(text)
    document = report.to_json(facts, lines, samples, verdicts)
    _write(todo.results, str(facts["started"]), {".md": text + "\n", ".json": document})
    return 0


def _facts(todo: Plan) -> dict[str, object]:
    return {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **machine.facts(),
        "memory": f"peak {tree.MEMORY_KIND} of the process tree, sampled",
        "rounds": todo.rounds,
        "seconds per HTTP case": todo.seconds,
    }


def _measure(todo: Plan, workspace: Path) -> Iterator[Sample]:
    lineup = contestants.lineup(todo.drums)
    chosen = [lineup[name] for name in todo.contestants]
    bodies = serving.bodies(todo.cases, workspace)
    rounds = range(1, todo.rounds + 1)
    built = [models.build(name, workspace) for name in todo.models]
    for model in built:
        for number in rounds:
            yield from serving.measure(model, chosen, todo.cases, bodies, round_number=number, seconds=todo.seconds)
    yield from _batches(todo, [model for model in built if model.name not in models.CODE], chosen, workspace)
    rows = min(FORMAT_ROWS, todo.rows)
    payloads = formats.payloads(models.write_rows(workspace / "formats.csv", rows))
    for number in rounds:
        yield from formats.measure(payloads, rows=rows, round_number=number)
    yield from _observed(todo, workspace)
    if psutil.LINUX:
        # Elsewhere the system tells neither who shares a page nor who keeps a connection.
        forest = models.build_forest(workspace, rows=todo.forest_rows)
        for name in todo.drums:
            yield from workers.measure(forest, lineup[name], bodies[1], requests=todo.requests, round_number=1)
    commands = startup.command_lines(todo.drums)
    for number in range(1, COMMAND_LINE_ROUNDS * todo.rounds + 1):
        yield from startup.measure(commands, log=workspace / "command.log", round_number=number)


def _batches(
    todo: Plan, built: Sequence[BenchModel], chosen: Sequence[Contestant], workspace: Path
) -> Iterator[Sample]:
    """Score CSV with everyone, and Parquet, and many times the rows, with each `drum`."""
    two_workers = [contestants.with_two_workers(todo.drums["drum"])] if "drum" in todo.drums else []
    drums = [*(contestant for contestant in chosen if contestant.name in todo.drums), *two_workers]
    shapes = {model.name: batch.shapes(model.name, todo.rows) for model in built}
    who = dict.fromkeys(chain.from_iterable(shapes.values()), drums)
    who |= {(todo.rows, ".csv"): [*chosen, *two_workers]}
    files = {
        (rows, suffix): batch.write_input(workspace / f"{rows}{suffix}", rows)
        for (rows, suffix), takers in who.items()
        if takers
    }
    for model, number in product(built, range(1, todo.rounds + 1)):
        for shape in shapes[model.name]:
            if shape in files:
                yield from batch.measure(model, who[shape], files[shape], round_number=number)


def _observed(todo: Plan, workspace: Path) -> Iterator[Sample]:
    model = models.build("reg", workspace / "observed")
    body = models.write_rows(workspace / "observed.csv", 1).read_bytes()
    rounds = OBSERVABILITY_ROUNDS * todo.rounds
    counters = workspace / "counters"
    yield from observability.measure(model.folder, body, counters, rounds=rounds, requests=todo.requests)


def _progress(samples: Iterable[Sample]) -> Iterator[Sample]:
    seen = None
    for sample in samples:
        step = f"{sample.section}, {sample.case}, round {sample.round}"
        if step != seen:
            print(step, file=sys.stderr)
            seen = step
        yield sample


def _write(folder: Path, started: str, texts: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, text in texts.items():
        path = folder / f"{started.replace(':', '')}{suffix}"
        path.write_text(text)
        print(f"wrote {path}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
