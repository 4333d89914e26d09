"""SIGHUP loads the folder anew: no request is lost, and a folder that cannot be loaded changes nothing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest
import requests

from .conftest import Server, serve

SOURCE = """
import pandas

def score(data, model, **kwargs):
    return pandas.DataFrame({{"Predictions": [{}] * len(data)}})
"""


# The first worker that loads it FIRST does something; the others cannot load it.
HALF_BROKEN = """
import pathlib, time
folder = pathlib.Path(__file__).parent
try:
    (folder / "first").touch(exist_ok=False)
except FileExistsError:
    while not (folder / "go").exists():
        time.sleep(0.01)
    raise RuntimeError("no second worker loads")
FIRST

def score(data, model, **kwargs):
    return data * 0 - 1
"""


def write(folder: Path, value: int) -> None:
    """Let the folder answer with a value; sources of different lengths are told apart whatever the clock says."""
    (folder / "custom.py").write_text(SOURCE.format(value) + "#" * value)


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def value_of(server: Server) -> float:
    answer = server.post("/predict/", "x\n1\n")
    assert answer.status_code == 200, answer.text
    value: float = answer.json()["predictions"][0]
    return value


def has_value(server: Server, value: float) -> bool:
    return value_of(server) == value


def processes(server: Server) -> int:
    return len(psutil.Process(server.process.pid).children(recursive=True))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, Server]]:
    write(tmp_path, 1)
    with serve(tmp_path, "--target-type", "regression", "--max-workers", "2") as server:
        yield tmp_path, server


def ask_without_pause(server: Server, ends: threading.Event, *, keeps_alive: bool) -> list[float]:
    """Send one request after the other; each must be answered."""
    values = []
    with requests.Session() as session:
        session.trust_env = False
        while not ends.is_set():
            url = f"http://127.0.0.1:{server.port}/predict/"
            headers = {} if keeps_alive else {"Connection": "close"}
            answer = session.post(url, data="x\n1\n", headers=headers, timeout=30)
            assert answer.status_code == 200, answer.text
            values += answer.json()["predictions"]
    return values


def test_no_request_is_lost_while_the_folder_is_loaded_anew_twice(served: tuple[Path, Server]) -> None:
    folder, server = served
    ends = threading.Event()
    with ThreadPoolExecutor(4) as clients:
        asked = [clients.submit(ask_without_pause, server, ends, keeps_alive=number % 2 == 0) for number in range(4)]
        try:
            for value in (2, 3):
                write(folder, value)
                server.process.send_signal(signal.SIGHUP)
                until(partial(has_value, server, value))
                until(lambda: processes(server) == 3)
        finally:
            ends.set()
        values = [answer.result(30) for answer in asked]
    assert all(set(each) == {1.0, 2.0, 3.0} for each in values)
    assert {value_of(server) for _ in range(20)} == {3.0}


def test_a_folder_that_cannot_be_loaded_changes_nothing(served: tuple[Path, Server]) -> None:
    folder, server = served
    # While a worker loads, libraries may start processes of their own.
    until(lambda: 'drum_workers{state="ready"} 2' in server.get("/metrics").text)
    until(lambda: processes(server) == 3)
    before = {child.pid for child in psutil.Process(server.process.pid).children(recursive=True)}
    (folder / "custom.py").write_text("import no_such_library\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "what was loaded before goes on serving" in server.log.read_text())
    assert "no_such_library" in server.log.read_text()
    assert value_of(server) == 1.0
    until(lambda: {child.pid for child in psutil.Process(server.process.pid).children(recursive=True)} == before)
    write(folder, 2)
    server.process.send_signal(signal.SIGHUP)
    until(lambda: value_of(server) == 2.0)


@pytest.mark.parametrize(
    ("first", "state", "words"),
    [("", "ready", ()), ("raise RuntimeError('nor does the first')", "failed", ("--with-error-server",))],
    ids=["loads", "explains"],
)
def test_no_worker_of_a_folder_that_cannot_be_loaded_answers(
    tmp_path: Path, first: str, state: str, words: tuple[str, ...]
) -> None:
    write(tmp_path, 1)
    with serve(tmp_path, "--target-type", "regression", "--max-workers", "2", *words) as server:
        until(lambda: 'drum_workers{state="ready"} 2.0' in server.get("/metrics").text)
        (tmp_path / "custom.py").write_text(HALF_BROKEN.replace("FIRST", first))
        server.process.send_signal(signal.SIGHUP)
        number = 3 if state == "ready" else 1
        until(lambda: f'drum_workers{{state="{state}"}} {number}.0' in server.get("/metrics").text)
        assert {value_of(server) for _ in range(60)} == {1.0}
        (tmp_path / "go").touch()
        until(lambda: value_of(server) == 1.0 and "goes on serving" in server.log.read_text())
        assert server.log.read_text().count("drum: serving ") == 1


@pytest.mark.parametrize("words", [(), ("--with-error-server",)], ids=["plain", "error-server"])
def test_a_worker_that_cannot_be_replaced_is_missing_until_the_folder_can_be_loaded(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    write(tmp_path, 1)
    with serve(tmp_path, "--target-type", "regression", "--max-workers", "2", *words) as server:
        until(lambda: 'drum_workers{state="ready"} 2.0' in server.get("/metrics").text)
        (tmp_path / "custom.py").write_text("import no_such_library\n")
        every = psutil.Process(server.process.pid).children(recursive=True)
        next(process for process in every if not process.children()).kill()
        until(lambda: "which is tried again" in server.log.read_text())
        assert {value_of(server) for _ in range(20)} == {1.0}
        write(tmp_path, 1)
        until(lambda: 'drum_workers{state="ready"} 2.0' in server.get("/metrics").text)


def test_the_error_server_does_not_take_the_place_of_a_model_and_gives_way_to_one(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text("import no_such_library\n")
    with serve(tmp_path, "--target-type", "regression", "--with-error-server") as server:
        assert server.get("/health/").status_code == 513
        write(tmp_path, 1)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: server.get("/health/").status_code == 200)
        (tmp_path / "custom.py").write_text("import no_other_library\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: value_of(server) == 1.0 and "goes on serving" in server.log.read_text())


def test_a_call_that_runs_is_finished_by_the_model_that_began_it(tmp_path: Path) -> None:
    source = (
        "import pathlib, time\n"
        "def score(data, model, **kwargs):\n"
        "    pathlib.Path(__file__).with_name('started').touch()\n"
        "    time.sleep(data['x'][0])\n"
        "    return data[['x']] * 2\n"
    )
    (tmp_path / "custom.py").write_text(source)
    with serve(tmp_path, "--target-type", "regression") as server, ThreadPoolExecutor(1) as client:
        slow = client.submit(server.post, "/predict/", "x\n4\n")
        until((tmp_path / "started").exists)
        write(tmp_path, 7)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "was loaded anew" in server.log.read_text())
        time.sleep(0.2)
        assert value_of(server) == 7.0
        assert not slow.done()
        assert slow.result().json() == {"predictions": [8.0]}
