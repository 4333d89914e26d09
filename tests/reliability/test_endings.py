"""SIGTERM with many requests in flight, and reloading under load."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from ..conformance.conftest import Server, serve

# Each call lasts until it is let go.
SLOW = """
import pathlib, time

def score(data, model, **kwargs):
    while not pathlib.Path(__file__).with_name("go").exists():
        time.sleep(0.02)
    return data[["number"]]
"""
IN_FLIGHT = 100
THREADS = 25
RELOADS = 6
# The default.
GRACE_SECONDS = 25


def in_flight(server: Server) -> int:
    """Return how many calls run or wait, in all workers."""
    lines = server.get("/metrics").text.splitlines()
    named = ("drum_calls_in_flight ", "drum_calls_waiting ")
    return sum(int(float(line.split()[1])) for line in lines if line.startswith(named))


def test_a_hundred_requests_in_flight_are_answered_after_sigterm(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SLOW)
    words = ["--target-type", "regression", "--max-workers", "2", "--threads", str(THREADS)]
    with (
        serve(tmp_path, *words, "--max-queue", str(IN_FLIGHT)) as server,
        ThreadPoolExecutor(IN_FLIGHT) as clients,
    ):
        asked = [clients.submit(server.post, "/predict/", f"number\n{number}\n") for number in range(IN_FLIGHT)]
        try:
            deadline = time.monotonic() + 30
            while (count := in_flight(server)) < IN_FLIGHT:
                assert time.monotonic() < deadline, count
                time.sleep(0.05)
            start = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            unanswered = sum(not one.done() for one in asked)
        finally:
            (tmp_path / "go").touch()
        answers = [one.result(30) for one in asked]
        assert server.process.wait(30) == 0
        seconds = time.monotonic() - start
    print(f"\nSIGTERM with {unanswered} in flight: all answered, exit 0 after {seconds:.1f} s")
    assert unanswered == IN_FLIGHT
    assert [answer.json() for answer in answers] == [{"predictions": [float(number)]} for number in range(IN_FLIGHT)]
    assert seconds < GRACE_SECONDS


def write(folder: Path, version: int) -> None:
    source = "import pandas\ndef score(data, model, **kwargs):\n"
    source += f"    return pandas.DataFrame({{'Predictions': data['number'] * 1000 + {version}}})\n"
    (folder / "custom.py").write_text(source + "#" * version)


def ask(server: Server, first: int, ends: threading.Event, *, keeps_alive: bool) -> Counter[int]:
    """Send requests until told to end, each of which must be answered; count the versions that did."""
    versions: Counter[int] = Counter()
    headers = {} if keeps_alive else {"Connection": "close"}
    number = first
    with requests.Session() as session:
        session.trust_env = False
        while not ends.wait(0.05):
            url = f"http://127.0.0.1:{server.port}/predict/"
            answer = session.post(url, data=f"number\n{number}\n", headers=headers, timeout=30)
            assert answer.status_code == 200, answer.text
            (value,) = answer.json()["predictions"]
            assert value // 1000 == number, "an answer went astray"
            versions[int(value % 1000)] += 1
            number += 1
    return versions


def test_no_request_is_lost_while_the_folder_is_loaded_anew_again_and_again(tmp_path: Path) -> None:
    write(tmp_path, 0)
    ends = threading.Event()
    clients = 8
    with (
        serve(tmp_path, "--target-type", "regression", "--max-workers", "2") as server,
        ThreadPoolExecutor(clients) as threads,
    ):
        asked = [threads.submit(ask, server, n, ends, keeps_alive=n % 2 == 0) for n in range(clients)]
        try:
            for version in range(1, RELOADS + 1):
                # Every third is broken and must change nothing.
                if version % 3 == 0:
                    (tmp_path / "custom.py").write_text("import no_such_library\n")
                else:
                    write(tmp_path, version)
                server.process.send_signal(signal.SIGHUP)
                words = "goes on serving" if version % 3 == 0 else "finishes its calls"
                count = version // 3 if version % 3 == 0 else version - version // 3
                deadline = time.monotonic() + 60
                while server.log.read_text().count(words) < count:
                    assert time.monotonic() < deadline, server.log.read_text()
                    assert not any(one.done() for one in asked)
                    time.sleep(0.05)
                time.sleep(1)
        finally:
            ends.set()
        versions = sum((one.result(60) for one in asked), Counter[int]())
    print(f"\nreloads: {RELOADS}, of them broken: {RELOADS // 3}; answers by version: {dict(sorted(versions.items()))}")
    assert set(versions) == {0, *(version for version in range(1, RELOADS + 1) if version % 3)}
