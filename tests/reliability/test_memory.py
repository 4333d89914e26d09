"""Requests that ask for more memory than there is: each fails alone, and its worker goes on."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from ..conformance.conftest import Server, serve

SOURCE = """
import numpy, pandas

def score(data, model, **kwargs):
    held = numpy.ones(int(data["bytes"][0]), dtype="uint8")
    return pandas.DataFrame({"Predictions": [float(held[-1])] * len(data)})
"""
# What a worker may have beyond what it has when it is warm.
ROOM = 1 << 30
GOOD = "bytes\n1000\n"
TOO_MUCH = f"bytes\n{4 * ROOM}\n"
TIMES = 50
CLIENTS = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "custom.py").write_text(SOURCE)
    with serve(tmp_path, "--target-type", "regression") as server:
        yield server


def test_requests_that_need_more_memory_than_the_limit_fail_alone(server: Server) -> None:
    (master,) = psutil.Process(server.process.pid).children()
    (worker,) = master.children()
    size = worker.memory_info().vms + ROOM
    resource.prlimit(worker.pid, resource.RLIMIT_AS, (size, size))
    with ThreadPoolExecutor(CLIENTS) as clients:
        asked = [(body, clients.submit(server.post, "/predict/", body)) for body in (GOOD, TOO_MUCH) * TIMES]
        answers = [(body, one.result()) for body, one in asked]
    refused = [answer for body, answer in answers if body == TOO_MUCH]
    good = [answer for body, answer in answers if body == GOOD]
    print(f"\n{len(refused)} requests over the limit of memory: 500 each; {len(good)} beside them answered")
    assert {answer.status_code for answer in refused} == {500}
    assert all("MemoryError" in answer.json()["message"] for answer in refused)
    assert all(answer.json() == {"predictions": [1.0]} for answer in good)
    assert master.children() == [worker]
