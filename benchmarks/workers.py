"""Memory rounds: what one more worker costs where all of them share a large model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psutil

from benchmarks import tree
from benchmarks.contestants import Contestant
from benchmarks.load import Client
from benchmarks.models import BenchModel
from benchmarks.processes import ContestantError
from benchmarks.samples import Sample
from benchmarks.servers import Server, free_port, serve
from benchmarks.serving import PATH

FEW, MANY = 2, 4
ONE_MORE = "one more worker"
SECONDS_TO_START = 60.0


def measure(
    model: BenchModel, contestant: Contestant, body: bytes, *, requests: int, round_number: int
) -> Iterator[Sample]:
    """Yield one round: the memory of servers whose every worker has answered so many requests, one after the other."""
    seen = {count: _memory(model, contestant, body, workers=count, requests=requests) for count in (FEW, MANY)}
    memories = {f"{count} workers": float(memory) for count, memory in seen.items()}
    memories[ONE_MORE] = (seen[MANY] - seen[FEW]) / (MANY - FEW)
    for case, memory in memories.items():
        figures = {"memory_bytes": memory, "model_bytes": model.artifact.stat().st_size, "requests": requests}
        yield Sample("workers", case, contestant.name, round_number, figures)


def _memory(model: BenchModel, contestant: Contestant, body: bytes, *, workers: int, requests: int) -> int:
    port, log = free_port(), model.folder.with_name(f"{model.name}_{contestant.name}_{workers}.log")
    with (
        serve(contestant.serve(model, port, workers), port, path=PATH, body=body, log=log) as server,
        ThreadPoolExecutor(workers) as pool,
    ):
        clients = _one_client_per_worker(server, workers, body)
        for asked in [pool.submit(_ask, client, body, requests) for client in clients]:
            asked.result()
        return tree.memory_bytes(server.pid)


def _one_client_per_worker(server: Server, workers: int, body: bytes) -> list[Client]:
    """Return clients whose connections are each kept by another worker."""
    found: dict[int, Client] = {}
    deadline = time.monotonic() + SECONDS_TO_START
    while len(found) < workers:
        if time.monotonic() > deadline:
            raise ContestantError(f"only {len(found)} of {workers} workers have answered")
        client = Client(server.port)
        client.post(PATH, body)
        worker = _who_keeps(client)
        if worker is None or worker in found:
            client.close()
        else:
            found[worker] = client
    return list(found.values())


def _who_keeps(client: Client) -> int | None:
    ports = {(end.raddr.port, end.pid) for end in psutil.net_connections("tcp") if end.raddr and end.pid}
    return next((pid for port, pid in ports if port == client.local_port), None)


def _ask(client: Client, body: bytes, requests: int) -> None:
    with closing(client):
        for _ in range(requests):
            status, answer = client.post(PATH, body)
            if status != 200:
                raise ContestantError(f"{PATH} answered {status}: {answer[:300]!r}")
