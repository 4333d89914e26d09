"""Hooks that exit, loop, sleep or hold the interpreter's lock: the probe port answers all the same."""

from __future__ import annotations

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from ..conformance.conftest import Server, serve
from .delays import TAIL, p99, told, waited

SOURCE = """
import ctypes, os, time
import pandas

def score(data, model, **kwargs):
    wish = data["wish"][0]
    if wish == "exit":
        os._exit(3)
    if wish == "loop":
        while True:
            pass
    if wish == "sleep":
        time.sleep(60)
    if wish == "native":
        # PyDLL keeps the interpreter's lock during the call.
        ctypes.PyDLL(None).sleep(60)
    return pandas.DataFrame({"Predictions": [1.0] * len(data)})
"""
PROBES = 300
SECONDS_BETWEEN_PROBES = 0.01
MOST_SECONDS = 0.05


def probe(port: int, path: str) -> tuple[float, int]:
    """Ask the probe port on a connection of its own; return the seconds it took and the status."""
    start = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        received = b""
        while data := client.recv(4096):
            received += data
    return time.perf_counter() - start, int(received.split()[1])


def waited_by(server: Server) -> float:
    """Return for how many seconds who answers probes, and who asks, had no processor."""
    return waited(server.process.pid) + waited(os.getpid(), threading.get_native_id())


def keep_asking(url: str, wish: str, pause: float, ends: threading.Event) -> None:
    """Send requests, which the hook may not answer, until told to end."""
    while not ends.wait(pause):
        with suppress(requests.RequestException), requests.Session() as session:
            session.trust_env = False
            session.post(url, data=f"wish\n{wish}\n", timeout=1)


@pytest.mark.parametrize("wish", ["exit", "loop", "sleep", "native"])
def test_livez_is_quick_whatever_a_hook_does(tmp_path: Path, wish: str) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ends = threading.Event()
    words = ("--target-type", "regression", "--probe-address", f"127.0.0.1:{port}")
    with serve(tmp_path, *words) as server, ThreadPoolExecutor(2) as clients:
        url = f"http://127.0.0.1:{server.port}/predict/"
        # Somebody must be answered now and then: workers that only die end the server.
        pauses = {wish: 0.3, "good": 0.02} if wish == "exit" else {wish: 0.0}
        asked = [clients.submit(keep_asking, url, each, pause, ends) for each, pause in pauses.items()]
        try:
            time.sleep(0.5)
            answers, before = [], waited_by(server)
            for _ in range(PROBES):
                answers.append(probe(port, "/livez"))
                time.sleep(SECONDS_BETWEEN_PROBES)
            wait = (waited_by(server) - before) / PROBES
        finally:
            ends.set()
        for client in asked:
            client.result()
        if wish != "exit":
            # What hangs is not waited for.
            server.process.terminate()
            time.sleep(0.3)
            assert probe(port, "/readyz")[1] == 503
            server.process.terminate()
            assert server.process.wait(10) == 0
    seconds = [answer[0] for answer in answers]
    print(f"\n/livez while hooks {wish}: {told(seconds)} (of it {wait * 1e3:.1f} ms for a processor, on average)")
    assert {answer[1] for answer in answers} == {200}
    assert p99(seconds) < MOST_SECONDS + TAIL * wait
