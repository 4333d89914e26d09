"""Twice as many requests as a server can answer: it answers as many as it can, and refuses the rest at once."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from ..conformance.conftest import Server, serve

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


def test_goodput_under_twice_the_load_is_nearly_the_peak_and_refusals_are_quick(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    words = ("--target-type", "regression", "--threads", str(THREADS), "--max-queue", str(QUEUE))
    with serve(tmp_path, *words) as server, ThreadPoolExecutor(CLIENTS) as pool:
        begin = time.monotonic()
        closed = [pool.submit(ask, server, begin, PEAK_SECONDS, 0.0) for _ in range(THREADS + 1)]
        peak = sum(len(one.result()) for one in closed) / PEAK_SECONDS
        pause = CLIENTS / (2 * peak)
        begin = time.monotonic()
        opened = [
            pool.submit(ask, server, begin + pause * number / CLIENTS, SECONDS, pause) for number in range(CLIENTS)
        ]
        answers = [answer for one in opened for answer in one.result()]
        elapsed = time.monotonic() - begin
    good = [seconds for status, seconds in answers if status == 200]
    refused = sorted(seconds for status, seconds in answers if status == 429)
    goodput, offered = len(good) / elapsed, len(answers) / elapsed
    p99 = refused[int(len(refused) * 0.99)]
    print(
        f"\npeak {peak:.0f}/s, offered {offered:.0f}/s for {elapsed:.0f} s, goodput {goodput:.0f}/s "
        f"({goodput / peak:.0%}), slowest answer {max(good):.2f} s; {len(refused)} refused, "
        f"median {refused[len(refused) // 2] * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, most {refused[-1] * 1e3:.1f} ms"
    )
    assert {status for status, _ in answers} == {200, 429}
    assert offered > 1.7 * peak
    assert goodput > 0.9 * peak
    assert p99 < MOST_SECONDS_OF_A_REFUSAL
