"""Workers that are killed again and again: no client but theirs is told of it, and no answer goes astray."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import requests

from ..conformance.conftest import Server, serve

# A model of 4 workers, each of which is killed about every 8 seconds.
SOURCE = """
import time
import pandas

def score(data, model, **kwargs):
    time.sleep(0.005)
    return pandas.DataFrame({"Predictions": data["number"] * 2})
"""
KILLS = 50
SECONDS_BETWEEN_KILLS = 2.0
CLIENTS = 20
REQUESTS_PER_SECOND = 55
# A client is told at once; one with an open connection when it sends its next request on it.
SECONDS_TO_BE_TOLD = 1.5


def workers(server: Server) -> list[int]:
    (master,) = psutil.Process(server.process.pid).children()
    return [worker.pid for worker in master.children()]


def kill_some(server: Server, ends: threading.Event) -> list[float]:
    """Kill a worker at a time, and return when."""
    times = []
    for _ in range(KILLS):
        time.sleep(SECONDS_BETWEEN_KILLS)
        times.append(time.monotonic())
        os.kill(random.choice(workers(server)), signal.SIGKILL)
    time.sleep(SECONDS_BETWEEN_KILLS)
    ends.set()
    return times


def ask(server: Server, first: int, ends: threading.Event) -> tuple[int, Counter[str], list[float]]:
    """Send numbered requests at a steady pace; return how many, what became of them, and when connections broke."""
    found: Counter[str] = Counter()
    broken: list[float] = []
    number, pause = first, CLIENTS / REQUESTS_PER_SECOND
    session = requests.Session()
    session.trust_env = False
    headers = {"Connection": "close"} if first % 2 else {}
    due = time.monotonic() + random.random() * pause
    while not ends.wait(max(due - time.monotonic(), 0)):
        due += pause
        try:
            url = f"http://127.0.0.1:{server.port}/predict/"
            answer = session.post(url, data=f"number\n{number}\n", headers=headers, timeout=20)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            found["refused" if "refused" in str(error) else "reset"] += 1
            broken.append(time.monotonic())
        else:
            if answer.status_code == 200:
                assert answer.json() == {"predictions": [2.0 * number]}, "an answer went astray"
            found["answered" if answer.status_code == 200 else f"answered {answer.status_code}"] += 1
        number += CLIENTS
    session.close()
    return (number - first) // CLIENTS, found, broken


def unexplained(broken: Sequence[float], kills: Sequence[float]) -> list[float]:
    return [at for at in broken if not any(0 <= at - kill < SECONDS_TO_BE_TOLD for kill in kills)]


def test_fifty_kills_cost_nobody_but_the_clients_of_the_killed(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    ends = threading.Event()
    with serve(tmp_path, "--target-type", "regression", "--max-workers", "4") as server:
        while len(workers(server)) < 4:
            time.sleep(0.05)
        with ThreadPoolExecutor(CLIENTS + 1) as threads:
            killer = threads.submit(kill_some, server, ends)
            asked = [threads.submit(ask, server, first, ends) for first in range(CLIENTS)]
            try:
                kills = killer.result()
            finally:
                ends.set()
            results = [client.result() for client in asked]
        log = server.log.read_text()
    sent = sum(result[0] for result in results)
    found = sum((result[1] for result in results), Counter[str]())
    broken = [at for result in results for at in result[2]]
    print(f"\nkills: {len(kills)}, requests: {sent}, {dict(found)}")
    assert set(found) <= {"answered", "reset", "refused", "answered 429"}
    assert sum(found.values()) == sent
    assert sent >= 5000
    assert unexplained(broken, kills) == []
    assert log.count("was killed by SIGKILL") == KILLS
