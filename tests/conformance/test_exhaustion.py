"""A worker that runs out of what the system gives a process goes on with what it has."""

from __future__ import annotations

import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil

from .conftest import serve

SOURCE = """
import time

def score(data, model, **kwargs):
    time.sleep(data["x"][0])
    return data[["x"]]
"""
FILES = 20


def test_clients_that_use_up_the_descriptors_cost_no_call_and_keep_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with (
        serve(tmp_path, "--target-type", "regression") as server,
        ThreadPoolExecutor(1) as clients,
        ExitStack() as stack,
    ):
        worker = psutil.Process(server.process.pid).children(recursive=True)[-1]
        _, hard = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
        # Files of modules and threads that a first call opens are there.
        assert server.post("/predict/", "x\n0\n", "text/csv").ok
        call = clients.submit(server.post, "/predict/", "x\n2\n", "text/csv")
        time.sleep(0.3)
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (worker.num_fds() + FILES, hard))
        for _ in range(3 * FILES):
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        assert server.get("/ping/", timeout=10).ok
        assert call.result().json() == {"predictions": [2]}
        assert worker.is_running()
        assert server.log.read_text().count("\n") == 1
