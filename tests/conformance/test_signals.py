"""How a server ends: at once on SIGINT, after the requests in flight on SIGTERM, always with exit 0."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from .conftest import Server, serve
from .processes import drum, left_of

SOURCE = """
import pathlib, time
marker = pathlib.Path(__file__).with_name("started")

def work(seconds):
    marker.touch()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        PAUSE

def score(data, model, **kwargs):
    work(data["seconds"][0])
    return data[["seconds"]]
"""
PAUSES = {"sleeping": "time.sleep(seconds)", "computing": "sum(range(1000))"}


def written(folder: Path, pause: str) -> Path:
    (folder / "custom.py").write_text(SOURCE.replace("PAUSE", PAUSES[pause]))
    return folder


@contextmanager
def in_flight(server: Server, folder: Path, seconds: float) -> Iterator[Future[requests.Response]]:
    """Start a request and wait until the hook works on it."""
    with ThreadPoolExecutor(1) as client:
        slow = client.submit(server.post, "/predict/", f"seconds\n{seconds}\n")
        while not (folder / "started").exists():
            assert not slow.done(), slow.result().text
            time.sleep(0.01)
        yield slow


def greeting(folder: Path, server: Server) -> str:
    return f"drum: serving {folder} on http://127.0.0.1:{server.port}"


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("pause", PAUSES)
def test_sigint_to_the_group_ends_the_server_while_a_request_runs(tmp_path: Path, pause: str, workers: str) -> None:
    folder = written(tmp_path, pause)
    with serve(folder, "--target-type", "regression", "--max-workers", workers) as server:
        with in_flight(server, folder, 60) as slow:
            asked = time.monotonic()
            os.killpg(server.process.pid, signal.SIGINT)
            assert server.process.wait(10) == 0
            assert time.monotonic() - asked < 2
            assert left_of(server.process.pid) == []
            assert port_is_free(server.port)
            assert slow.exception(10) is not None
        assert server.log.read_text().splitlines() == [greeting(folder, server)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_server_with_an_open_connection_ends_at_once(tmp_path: Path, number: int) -> None:
    folder = written(tmp_path, "sleeping")
    with serve(folder, "--target-type", "regression") as server, requests.Session() as session:
        session.trust_env = False
        assert session.get(f"http://127.0.0.1:{server.port}/").status_code == 200
        asked = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
        assert time.monotonic() - asked < 5
        assert port_is_free(server.port)
        assert server.log.read_text().splitlines() == [greeting(folder, server)]


@pytest.mark.parametrize("to_the_group", [False, True], ids=["master", "group"])
def test_sigterm_lets_the_request_in_flight_finish(tmp_path: Path, to_the_group: bool) -> None:
    folder = written(tmp_path, "sleeping")
    with serve(folder, "--target-type", "regression") as server, in_flight(server, folder, 1.5) as slow:
        if to_the_group:
            os.killpg(server.process.pid, signal.SIGTERM)
        else:
            server.process.send_signal(signal.SIGTERM)
        answer = slow.result(30)
        assert (answer.status_code, answer.json()) == (200, {"predictions": [1.5]})
        assert server.process.wait(10) == 0


def test_a_port_in_use_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    folder = written(tmp_path, "sleeping")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = drum("server", "--code-dir", folder, "--target-type", "regression", "--address", address)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1), ended.stderr
    assert address.encode() in ended.stderr
