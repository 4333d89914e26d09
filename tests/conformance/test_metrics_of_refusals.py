"""Requests that are refused: what two workers, and those that take their places, count is what their clients saw."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from .conftest import Server, serve
from .test_metrics import metrics, workers
from .test_supervisor import free_port, until

SOURCE = """
import time

def score(data, model, **kwargs):
    time.sleep(data["seconds"][0])
    return data[["seconds"]]
"""
# In each of two workers one call runs and one waits; a call is overdue after a second, and stuck after three more.
WORDS = ["--target-type", "regression", "--max-workers", "2", "--max-queue", "1"]
WORDS += ["--request-timeout", "1", "--receive-timeout", "1"]
GRACE = {"MLOPS_RUNTIME_PARAM_DRUM_GUNICORN_GRACEFUL_TIMEOUT": json.dumps({"type": "numeric", "payload": 3})}
PLACES = 4
HEAD = b"POST /predict/ HTTP/1.1\r\nHost: a\r\nContent-Length: "
TOO_SLOW = {
    "half a head": HEAD,
    "half a body": HEAD + b"9\r\n\r\nseconds",
    "half a large body": HEAD + b"9000000\r\n\r\nseconds\n" + b"1\n" * 50_000,
}
ERRORS = {429: "Overloaded", 504: "TimedOut", 408: "TooSlow"}


class Clients:
    """Clients of one server that keep a tally of what they were answered."""

    def __init__(self, server: Server, probe_port: int) -> None:
        self.server = server
        self.probe_port = probe_port
        self.seen: Counter[int] = Counter()

    def ask(self, seconds: float, times: int = 1) -> None:
        with ThreadPoolExecutor(times) as pool:
            asked = [pool.submit(self.server.post, "/predict/", f"seconds\n{seconds}\n") for _ in range(times)]
        self.seen.update(one.result().status_code for one in asked)

    def send_halves(self) -> None:
        with ThreadPoolExecutor(len(TOO_SLOW)) as pool:
            self.seen.update(pool.map(self._send_half, TOO_SLOW.values()))

    def _send_half(self, sent: bytes) -> int:
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as client:
            client.sendall(sent)
            received = b""
            while data := client.recv(65536):
                received += data
        assert received.count(b"HTTP/1.1 ") == 1
        return int(received[9:12])

    def until(self, name: str, value: float) -> None:
        until(lambda: metrics(self.probe_port)[name] == value)

    def counted(self) -> dict[int, float]:
        """Return how many requests with a body were counted, by status, and see that all counters agree on it."""
        found = metrics(self.probe_port)
        assert {name: value for name, value in found.items() if "/metrics" not in name} == {
            name: value for name, value in metrics(self.server.port).items() if "/metrics" not in name
        }
        routes = ("/predict", "unmatched")
        by_status = {
            status: sum(found.get(f"drum_requests_total|route={route}|status={status}", 0) for route in routes)
            for status in (200, *ERRORS)
        }
        by_error = {status: found[f"drum_errors_total|error={error}"] for status, error in ERRORS.items()}
        assert by_error == {status: by_status[status] for status in ERRORS}
        durations = sum(found.get(f"drum_request_duration_seconds_count|route={route}", 0) for route in routes)
        assert durations == sum(by_status.values())
        return by_status


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[Clients]:
    (tmp_path / "custom.py").write_text(SOURCE)
    port = free_port()
    with serve(tmp_path, *WORDS, "--probe-address", f"127.0.0.1:{port}", env=GRACE) as server:
        yield Clients(server, port)


def be_refused_in_every_way(clients: Clients) -> None:
    """Add to each number of the tally, and compare it with what the server has counted since its start."""
    before = Counter(clients.seen)
    clients.until("drum_calls_limit", PLACES)
    clients.ask(0.3, times=4 * PLACES)
    clients.ask(1.2)
    clients.send_halves()
    clients.until("drum_calls_in_flight", 0)
    assert clients.counted() == clients.seen
    assert all(clients.seen[status] > before[status] for status in (200, *ERRORS))
    found = metrics(clients.probe_port)
    assert found["drum_calls_overdue"] == found["drum_calls_waiting"] == 0
    # Each took the second that it had.
    unmatched = "drum_request_duration_seconds_{}|route=unmatched"
    assert found[unmatched.format("sum")] == found[unmatched.format("count")] > 0


def test_each_refusal_is_counted_once_by_whichever_worker(clients: Clients) -> None:
    be_refused_in_every_way(clients)

    clients.ask(600)
    found = metrics(clients.probe_port)
    assert found["drum_calls_overdue"] == found["drum_calls_in_flight"] == 1
    clients.until("drum_worker_restarts_total|reason=stuck", 1)
    os.kill(workers(clients.server)[0].pid, signal.SIGKILL)
    clients.until("drum_worker_restarts_total|reason=signal", 1)
    be_refused_in_every_way(clients)

    before = [worker.pid for worker in workers(clients.server)]
    clients.server.process.send_signal(signal.SIGHUP)
    until(lambda: not any(psutil.pid_exists(pid) for pid in before))
    be_refused_in_every_way(clients)
    assert metrics(clients.probe_port)["drum_worker_restarts_total|reason=stuck"] == 1
