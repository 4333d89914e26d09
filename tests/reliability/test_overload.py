"""Twice as many requests as a server can answer: it answers as many as it can, and refuses the rest at once."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil

from ..conformance.conftest import Server, serve
from .delays import TAIL, p99, told, waited

SECONDS_OF_A_CALL = 0.1
SOURCE = f"""
import time

def score(data, model, **kwargs):
    time.sleep({SECONDS_OF_A_CALL})
    return data[["number"]]
"""
THREADS = 4
QUEUE = 4
PEAK_SECONDS = 5.0
SECONDS = 20.0
CLIENTS = 24
MOST_SECONDS_OF_A_REFUSAL = 0.05


def ask(server: Server, begin: float, seconds: float, pause: float) -> list[tuple[int, float]]:
    """Send a request every so many seconds on one connection; return the status of each and the seconds it took."""
    found = []
    due = begin
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as client:
        while due < begin + seconds:
            time.sleep(max(due - time.monotonic(), 0))
            start = time.monotonic()
            client.request("POST", "/predict/", "number\n1\n")
            answer = client.getresponse()
            answer.read()
            found.append((answer.status, time.monotonic() - start))
            due = max(due + pause, time.monotonic() if pause == 0 else 0)
    return found


def full(pool: ThreadPoolExecutor, server: Server, seconds: float) -> list[Future[list[tuple[int, float]]]]:
    """Have just so many clients that no slot is ever free, and none is refused."""
    begin = time.monotonic()
    return [pool.submit(ask, server, begin, seconds, 0.0) for _ in range(THREADS + 1)]


def rate(asked: list[Future[list[tuple[int, float]]]], seconds: float) -> float:
    answers = [answer for one in asked for answer in one.result()]
    assert {status for status, _ in answers} == {200}
    return len(answers) / seconds


def worker_of(server: Server) -> int:
    (master,) = psutil.Process(server.process.pid).children()
    (worker,) = master.children()
    return worker.pid


def test_goodput_under_twice_the_load_is_nearly_the_peak_and_refusals_are_quick(tmp_path: Path) -> None:
    """What the machine allows meanwhile is told by a second server, which has just its peak."""
    (tmp_path / "custom.py").write_text(SOURCE)
    words = ("--target-type", "regression", "--threads", str(THREADS), "--max-queue", str(QUEUE))
    with (
        serve(tmp_path, *words) as server,
        serve(tmp_path, *words) as other,
        ThreadPoolExecutor(CLIENTS + THREADS + 1) as pool,
    ):
        capacity = rate(full(pool, server, PEAK_SECONDS), PEAK_SECONDS)
        pause = CLIENTS / (2 * capacity)
        worker = worker_of(server)
        begin, before = time.monotonic(), waited(worker)
        opened = [
            pool.submit(ask, server, begin + pause * number / CLIENTS, SECONDS, pause) for number in range(CLIENTS)
        ]
        closed = full(pool, other, SECONDS)
        answers = [answer for one in opened for answer in one.result()]
        elapsed = time.monotonic() - begin
        wait = (waited(worker) - before) / len(answers)
        peak = rate(closed, SECONDS)
    good = [seconds for status, seconds in answers if status == 200]
    refused = [seconds for status, seconds in answers if status == 429]
    goodput, offered = len(good) / elapsed, len(answers) / elapsed
    print(
        f"\npeak {peak:.1f}/s, offered {offered:.1f}/s for {elapsed:.0f} s, goodput {goodput:.1f}/s "
        f"({goodput / peak:.0%}), answers: {told(good)}\n"
        f"{len(refused)} refused: {told(refused)} (of it {wait * 1e3:.1f} ms for a processor, on average)"
    )
    assert {status for status, _ in answers} == {200, 429}
    assert offered > 1.7 * capacity
    assert goodput > 0.9 * peak
    assert p99(refused) < MOST_SECONDS_OF_A_REFUSAL + TAIL * wait
