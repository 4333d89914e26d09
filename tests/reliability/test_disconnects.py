"""Clients that go away in the middle of a stream leave nothing behind."""

from __future__ import annotations

import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..conformance.conftest import Server, serve

DISCONNECTS = 500
BEFORE = 100
CLIENTS = 4
GROWTH = 8 << 20
CALLS = 4
# Those that call, the seven beside them, and the one that takes connections; the pool grows to that as it is needed.
MOST_THREADS = CALLS + 7 + 1
SOURCE = """
import os

CHUNK = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "word " * 200}}]}
FILE = os.path.join(os.path.dirname(__file__), "closed")


def chat(params, model):
    held = open(os.devnull, "rb")
    try:
        while True:
            yield CHUNK
    finally:
        held.close()
        with open(FILE, "a") as closed:
            closed.write(".")


def score_unstructured(model, data):
    return str(os.getpid())
"""


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    descriptors: int
    threads: int
    memory: int


def held_by(worker: psutil.Process) -> Held:
    return Held(worker.num_fds(), worker.num_threads(), worker.memory_info().rss)


def leave(server: Server, number: int) -> None:
    """Ask for a stream without end, read some of it, and go: in peace, or by a reset."""
    body = json.dumps({"messages": []}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(head.encode() + body)
        assert client.recv(20_000).startswith(b"HTTP/1.1 200 ")
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_five_hundred_disconnects_leave_descriptors_threads_and_memory_flat(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with serve(tmp_path, "--threads", str(CALLS)) as server:
        worker = psutil.Process(int(server.post("/predictUnstructured/", b"x").text))
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(lambda number: leave(server, number), range(BEFORE)))
            before = settled(tmp_path, worker, BEFORE)
            list(clients.map(lambda number: leave(server, number), range(DISCONNECTS)))
        after = settled(tmp_path, worker, BEFORE + DISCONNECTS)
        assert server.post("/predictUnstructured/", b"x").text == str(worker.pid)
    print(f"\n{DISCONNECTS} disconnects: {before} -> {after}")
    assert after.descriptors <= before.descriptors
    assert after.threads <= MOST_THREADS
    assert after.memory - before.memory < GROWTH


def settled(folder: Path, worker: psutil.Process, closed: int) -> Held:
    """Wait until so many generators have been closed and their connections too, and say what is held then."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        count = os.path.getsize(folder / "closed") if (folder / "closed").exists() else 0
        connections = [one for one in worker.net_connections("tcp") if one.status != psutil.CONN_LISTEN]
        if count == closed and not connections:
            return held_by(worker)
        time.sleep(0.05)
    raise AssertionError(f"{count} generators closed of {closed}, {len(connections)} connections left")
