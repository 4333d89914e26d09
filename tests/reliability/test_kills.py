"""Workers that are killed again and again: no client but theirs is told of it, and no answer goes astray."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ..conformance.conftest import Server, serve

# No id of a process is larger.
MOST_PID = 1 << 22
# A model of 4 workers, each of which is killed about every 8 seconds; an answer tells its question and its worker.
SOURCE = f"""
import os, time
import pandas

def score(data, model, **kwargs):
    time.sleep(0.005)
    return pandas.DataFrame({{"Predictions": data["number"] * {MOST_PID} + os.getpid()}})
"""
KILLS = 50
SECONDS_BETWEEN_KILLS = 2.0
CLIENTS = 20
REQUESTS_PER_SECOND = 55


@dataclass(frozen=True)
class Kill:
    """A worker that was killed, and the time from the signal until nothing was left of it."""

    pid: int
    begin: float
    end: float


@dataclass(frozen=True)
class Break:
    """A request that had no answer: its time, and the worker that its connection was with, if it had one before."""

    pid: int | None
    begin: float
    end: float


def workers(server: Server) -> list[int]:
    (master,) = psutil.Process(server.process.pid).children()
    return [worker.pid for worker in master.children()]


def kill_some(server: Server, ends: threading.Event) -> list[Kill]:
    """Kill one worker after the other."""
    kills = []
    for _ in range(KILLS):
        time.sleep(SECONDS_BETWEEN_KILLS)
        pid, begin = random.choice(workers(server)), time.monotonic()
        os.kill(pid, signal.SIGKILL)
        while psutil.pid_exists(pid):
            time.sleep(0.005)
        kills.append(Kill(pid, begin, time.monotonic()))
    time.sleep(SECONDS_BETWEEN_KILLS)
    ends.set()
    return kills


@dataclass
class Client:
    """Sends numbered requests at a steady pace, and notes what becomes of each."""

    server: Server
    first: int
    sent: int = 0
    found: Counter[str] = field(default_factory=Counter)
    broken: list[Break] = field(default_factory=list)

    def run(self, ends: threading.Event) -> Client:
        """Send until told to end, every other client on a connection that it keeps."""
        pause = CLIENTS / REQUESTS_PER_SECOND
        due = time.monotonic() + random.random() * pause
        connection, pid = self._connection(), None
        while not ends.wait(max(due - time.monotonic(), 0)):
            due += pause
            begin = time.monotonic()
            try:
                pid = self._ask(connection, self.first + self.sent * CLIENTS)
            except (OSError, http.client.HTTPException) as error:
                self.found["refused" if isinstance(error, ConnectionRefusedError) else "reset"] += 1
                self.broken.append(Break(pid, begin, time.monotonic()))
                pid = None
            if pid is None or self.first % 2:
                connection.close()
                pid = None
            self.sent += 1
        connection.close()
        return self

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)

    def _ask(self, connection: http.client.HTTPConnection, number: int) -> int | None:
        """Return the worker that has answered."""
        connection.request("POST", "/predict/", f"number\n{number}\n", {"Content-Type": "text/csv"})
        answer = connection.getresponse()
        body = answer.read()
        self.found["answered" if answer.status == 200 else f"answered {answer.status}"] += 1
        if answer.status != 200:
            return None
        (value,) = json.loads(body)["predictions"]
        assert value // MOST_PID == number, "an answer went astray"
        return int(value % MOST_PID)


def is_explained(broken: Break, kills: Sequence[Kill]) -> bool:
    """Say whether the worker of the request was killed by then; where it is not known, whether one was meanwhile."""
    if broken.pid is not None:
        return any(kill.pid == broken.pid and kill.begin <= broken.end for kill in kills)
    return any(kill.begin <= broken.end and broken.begin <= kill.end for kill in kills)


def test_fifty_kills_cost_nobody_but_the_clients_of_the_killed(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    ends = threading.Event()
    with serve(tmp_path, "--target-type", "regression", "--max-workers", "4") as server:
        while len(workers(server)) < 4:
            time.sleep(0.05)
        with ThreadPoolExecutor(CLIENTS + 1) as threads:
            killer = threads.submit(kill_some, server, ends)
            asked = [threads.submit(Client(server, first).run, ends) for first in range(CLIENTS)]
            try:
                kills = killer.result()
            finally:
                ends.set()
            clients = [client.result() for client in asked]
        log = server.log.read_text()
    sent = sum(client.sent for client in clients)
    found = sum((client.found for client in clients), Counter[str]())
    unexplained = [one for client in clients for one in client.broken if not is_explained(one, kills)]
    print(f"\nkills: {len(kills)}, requests: {sent}, {dict(found)}, not explained by a kill: {len(unexplained)}")
    assert set(found) <= {"answered", "reset", "refused"}
    assert sum(found.values()) == sent
    assert sent >= 5000
    assert unexplained == []
    assert log.count("was killed by SIGKILL") == KILLS
