"""The first process: it answers probes whatever the others do, and none of them outlives it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from .conftest import Server, serve
from .processes import DRUM, environment, left_of

SOURCE = """
import ctypes, os, pathlib, time
import pandas
folder = pathlib.Path(__file__).parent

def score(data, model, **kwargs):
    wish = data["wish"][0]
    if wish == "exit":
        os._exit(3)
    if wish == "crash":
        # In this very thread: a signal to the process may come after the answer.
        ctypes.string_at(0)
    if wish == "sleep":
        (folder / "started").touch()
        time.sleep(60)
    return pandas.DataFrame({"Predictions": [os.getpid()] * len(data)})
"""


SERVING = re.compile(r"^drum: serving .* on (http://\S+)\n", re.MULTILINE)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def ask(port: int, path: str) -> tuple[int, str]:
    """Return status and message of the probe port; status 0 where nobody listens."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(f"http://127.0.0.1:{port}{path}", timeout=10)
        except requests.ConnectionError:
            return 0, ""
        return answer.status_code, answer.json()["message"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    port = free_port()
    probes = ["--probe-address", f"127.0.0.1:{port}"]
    with serve(folder, "--target-type", "regression", "--max-workers", "2", *probes) as served:
        until(lambda: ask(port, "/readyz")[0] == 200)
        yield served, port


@contextmanager
def started(folder: Path, *args: str) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """Start a server without waiting for its model."""
    port = free_port()
    log = folder / "log"
    command = [DRUM, "server", "--code-dir", str(folder), "--target-type", "regression", "--address", "127.0.0.1:0"]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*command, "--probe-address", f"127.0.0.1:{port}", *args],
            stderr=stderr,
            env=environment(None),
            start_new_session=True,
        )
        try:
            yield process, port, log
        finally:
            if left_of(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_both_ports_say_that_the_server_lives_and_is_ready(server: tuple[Server, int]) -> None:
    served, port = server
    for path in ("/livez", "/readyz"):
        assert ask(port, path) == (200, "OK")
        answer = served.get(path)
        assert (answer.status_code, answer.json()) == (200, {"message": "OK"})


def test_the_probe_port_serves_nothing_else(server: tuple[Server, int]) -> None:
    assert ask(server[1], "/predict/")[0] == 404


def test_the_first_process_has_neither_numpy_nor_flask(server: tuple[Server, int]) -> None:
    maps = Path(f"/proc/{server[0].process.pid}/maps").read_text()
    assert "numpy" not in maps
    assert psutil.Process(server[0].process.pid).num_threads() == 1


@pytest.mark.parametrize(("wish", "words"), [("exit", "ended itself with code 3"), ("crash", "was killed by SIGSEGV")])
def test_a_worker_that_dies_is_replaced_and_the_log_says_why(server: tuple[Server, int], wish: str, words: str) -> None:
    served, port = server
    with pytest.raises(requests.ConnectionError):
        served.post("/predict/", f"wish\n{wish}\n")
    until(lambda: words in served.log.read_text())
    assert served.post("/predict/", "wish\ngood\n").status_code == 200
    until(lambda: ask(port, "/readyz")[0] == 200)
    until(lambda: len(psutil.Process(served.process.pid).children(recursive=True)) == 3)


def test_the_statistics_count_the_first_process_too(server: tuple[Server, int]) -> None:
    pids = [facts["pid"] for facts in server[0].get("/stats/").json()["drum_info"]]
    assert pids[0] == server[0].process.pid
    assert len(pids) == 4


def test_while_the_model_is_loaded_the_server_lives_and_is_not_ready_and_sigterm_ends_it_within_a_second(
    tmp_path: Path,
) -> None:
    (tmp_path / "custom.py").write_text(
        "import pathlib\npathlib.Path(__file__).with_name('started').touch()\n"
        "while True:\n    try:\n        sum(range(10**9))\n    except BaseException:\n        pass\n"
    )
    with started(tmp_path) as (process, port, log):
        until((tmp_path / "started").exists)
        assert ask(port, "/livez") == (200, "OK")
        assert ask(port, "/readyz") == (503, "ERROR: not ready: the model is being loaded")
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - asked < 1
        until(lambda: left_of(process.pid) == [], 1)
        assert log.read_text() == ""


def test_sigterm_makes_the_server_unready_at_once_and_a_second_one_ends_calls(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    port = free_port()
    with (
        serve(tmp_path, "--target-type", "regression", "--probe-address", f"127.0.0.1:{port}") as served,
        ThreadPoolExecutor(1) as client,
    ):
        slow = client.submit(served.post, "/predict/", "wish\nsleep\n")
        until((tmp_path / "started").exists)
        served.process.send_signal(signal.SIGTERM)
        until(lambda: ask(port, "/readyz") == (503, "ERROR: not ready: the server is shutting down"), 1)
        assert ask(port, "/livez") == (200, "OK")
        time.sleep(0.5)
        assert served.process.poll() is None
        asked = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(10) == 0
        assert time.monotonic() - asked < 2
        assert isinstance(slow.exception(10), requests.ConnectionError)


def test_no_process_outlives_the_first_one(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with started(tmp_path, "--max-workers", "2") as (process, port, _):
        until(lambda: ask(port, "/readyz")[0] == 200)
        assert len(left_of(process.pid)) == 4
        process.kill()
        until(lambda: left_of(process.pid) == [], 5)


def test_a_folder_whose_workers_die_in_a_loop_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    # It dies when it is called and not some time after it has loaded, which on a busy machine is while it loads.
    (tmp_path / "custom.py").write_text("import os\ndef score(data, model, **kwargs):\n    os._exit(9)\n")
    with started(tmp_path) as (process, _, log):
        until(lambda: SERVING.search(log.read_text()), 60)
        address = SERVING.findall(log.read_text())[0]
        while process.poll() is None:
            with suppress(requests.ConnectionError):
                requests.post(f"{address}/predict/", data="x\n1\n", timeout=60)
        last = log.read_text().splitlines()[-1]
    assert process.returncode == 5
    assert last.startswith("drum: error: 10 workers died one after the other")
    assert "code 9" in last


def test_a_probe_port_that_was_asked_for_and_is_taken_is_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with started(tmp_path, "--probe-address", address) as (process, _, log):
            assert process.wait(20) == 2
            assert address in log.read_text()


def test_without_a_probe_port_of_its_own_the_server_says_so_and_serves(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.2", 8081))
            taken.listen()
        except OSError:
            pytest.fail("port 8081 of 127.0.0.2 is in use")
        command = [
            DRUM,
            "server",
            "--code-dir",
            str(tmp_path),
            "--target-type",
            "regression",
            "--address",
            "127.0.0.2:0",
        ]
        log = tmp_path / "log"
        with log.open("wb") as stderr:
            process = subprocess.Popen(command, stderr=stderr, env=environment(None), start_new_session=True)
        try:
            until(lambda: "there is no probe port: 8081 is taken" in log.read_text())
        finally:
            process.terminate()
            assert process.wait(20) == 0


def test_a_worker_that_has_answered_its_requests_is_replaced_and_no_request_is_lost(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    most = {"MLOPS_RUNTIME_PARAM_DRUM_GUNICORN_MAX_REQUESTS": '{"type":"numeric","payload":5}'}
    with serve(tmp_path, "--target-type", "regression", "--max-workers", "2", env=most) as served:
        answers = [served.post("/predict/", "wish\ngood\n") for _ in range(30)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["predictions"][0] for answer in answers}) > 3
        assert "another takes its place" not in served.log.read_text()


def test_connections_are_closed_after_each_answer_if_they_are_not_to_be_kept(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    never = {"MLOPS_RUNTIME_PARAM_DRUM_GUNICORN_KEEP_ALIVE": '{"type":"numeric","payload":0}'}
    with serve(tmp_path, "--target-type", "regression", env=never) as served:
        assert served.get("/").headers["Connection"] == "close"
