"""HTTP rounds: a fresh server per contestant, every case against it, then the next contestant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import agreement, load, tree
from benchmarks.contestants import Contestant
from benchmarks.models import BenchModel, write_rows
from benchmarks.samples import Sample, percentile
from benchmarks.servers import Server, free_port, serve

PATH = "/predict/"
AGREEMENT_ROWS = 100
WARM_UP_SHARE = 0.2
# Whatever else the machine does makes a start slower, never quicker.
COLD_STARTS = 3


@dataclass(frozen=True)
class Case:
    """How many rows a request has, how many clients send it, how many workers get it, how often memory is read."""

    name: str
    rows: int
    concurrency: int
    workers: int = 1
    sampling_seconds: float = 0.1


ONE_ROW = Case("1 row, c1", 1, 1)
TWO_WORKERS = Case("1 row, c8, 2 workers", 1, 8, workers=2)
# A server with so many workers meets those of its own in this order, so memory is highest in the last.
CASES = (
    ONE_ROW,
    Case("1 row, c8", 1, 8),
    Case("100 rows, c1", 100, 1),
    Case("10k rows, c1", 10_000, 1),
    TWO_WORKERS,
)
# So few requests that their highest memory would be missed by chance.
LARGE = Case("200k rows, c1", 200_000, 1, sampling_seconds=0.02)


def bodies(cases: Sequence[Case], workspace: Path) -> dict[int, bytes]:
    """Return the CSV body for each number of rows in the cases."""
    rows = {case.rows for case in cases} | {AGREEMENT_ROWS}
    return {count: write_rows(workspace / f"body_{count}.csv", count).read_bytes() for count in rows}


def measure(
    model: BenchModel,
    contestants: Sequence[Contestant],
    cases: Sequence[Case],
    body_of: Mapping[int, bytes],
    *,
    round_number: int,
    seconds: float,
) -> Iterator[Sample]:
    """Yield one round: for each contestant its cold starts and its cases; all must predict the same."""
    for workers in sorted({case.workers for case in cases}):
        own = [case for case in cases if case.workers == workers]
        predictions: dict[str, agreement.Floats] = {}
        for contestant in contestants:
            name, port = contestant.name, free_port()
            log = model.folder.with_name(f"{model.name}_{name}.log")
            start = partial(serve, contestant.serve(model, port, workers), port, path=PATH, body=body_of[1], log=log)
            others = [_cold_start_seconds(start) for _ in range(COLD_STARTS - 1)]
            with start() as server:
                cold = {"wall_seconds": min(*others, server.cold_start_seconds)}
                yield Sample("cold start", f"{model.name}, workers: {workers}", name, round_number, cold)
                predictions[name] = agreement.from_json(_answer(server, body_of[AGREEMENT_ROWS]))
                agreement.check(predictions, rows=AGREEMENT_ROWS, what=f"{model.name} over HTTP")
                for case in own:
                    figures = _figures(server, body_of[case.rows], case, seconds)
                    yield Sample("http", f"{model.name}, {case.name}", name, round_number, figures)


def _cold_start_seconds(start: Callable[[], AbstractContextManager[Server]]) -> float:
    with start() as server:
        return server.cold_start_seconds


def _answer(server: Server, body: bytes) -> bytes:
    client = load.Client(server.port)
    try:
        return client.post(PATH, body)[1]
    finally:
        client.close()


def _figures(server: Server, body: bytes, case: Case, seconds: float) -> dict[str, float]:
    load.run(server.port, PATH, body, concurrency=case.concurrency, seconds=WARM_UP_SHARE * seconds)
    cpu = tree.cpu_seconds(server.pid)
    with tree.watch(server.pid, interval=case.sampling_seconds) as peak:
        seen = load.run(server.port, PATH, body, concurrency=case.concurrency, seconds=seconds)
    cpu = tree.cpu_seconds(server.pid) - cpu
    requests = len(seen.latencies)
    return {
        "requests": requests,
        "requests_per_second": requests / seen.seconds,
        "p50_seconds": percentile(seen.latencies, 0.5),
        "p99_seconds": percentile(seen.latencies, 0.99),
        "cpu_seconds": cpu,
        "cpu_seconds_per_request": cpu / requests,
        "peak_bytes": peak.bytes,
    }
