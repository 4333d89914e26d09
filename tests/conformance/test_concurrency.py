"""Many clients at once: each gets the answer to its own request."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from .conftest import Server, serve

# A second thread in the hook would change the global during the sleep.
SOURCE = """
import os, time
import pandas
number = None

def score(data, model, **kwargs):
    global number
    number = data["number"]
    time.sleep(0.001)
    return pandas.DataFrame({"Predictions": number, "pid": os.getpid()})
"""
CLIENTS = 8
REQUESTS = 250
REQUESTS_PER_CONNECTION = 25


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serve(folder, "--target-type", "regression", "--max-workers", "2") as server:
        yield server


def ask_for_each(server: Server, numbers: range) -> tuple[list[float], set[int]]:
    """Send one request per number; return the answers, and the processes that gave them."""
    answers: list[float] = []
    pids: set[int] = set()
    for start in range(0, len(numbers), REQUESTS_PER_CONNECTION):
        with requests.Session() as session:
            session.trust_env = False
            for number in numbers[start : start + REQUESTS_PER_CONNECTION]:
                url = f"http://127.0.0.1:{server.port}/predict/"
                answer = session.post(url, data=f"number\n{number}\n", timeout=60)
                assert answer.status_code == 200, answer.text
                answers += answer.json()["predictions"]
                pids.add(answer.json()["extraModelOutput"]["data"][0][0])
    return answers, pids


def test_no_answer_is_swapped_in_2000_requests_to_two_workers(server: Server) -> None:
    shares = [range(client * REQUESTS, (client + 1) * REQUESTS) for client in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        results = list(clients.map(lambda share: ask_for_each(server, share), shares))
    for share, (answers, _) in zip(shares, results, strict=True):
        assert answers == list(share)
    assert len(set().union(*(pids for _, pids in results))) == 2, "only one worker answered"


def test_threads_let_several_requests_into_user_code_at_once(tmp_path: Path) -> None:
    """Each call waits until all four are inside, so that one slot alone would time out."""
    (tmp_path / "custom.py").write_text(
        "import threading\n"
        "meeting = threading.Barrier(4, timeout=20)\n"
        "def score(data, model, **kwargs):\n"
        "    meeting.wait()\n"
        "    return data[['number']]\n"
    )
    with serve(tmp_path, "--target-type", "regression", "--threads", "4") as server:
        with ThreadPoolExecutor(4) as clients:
            bodies = [f"number\n{number}\n" for number in range(4)]
            answers = list(clients.map(lambda body: server.post("/predict/", body), bodies))
        assert [answer.json() for answer in answers] == [{"predictions": [float(number)]} for number in range(4)]


def test_probes_answer_while_the_model_is_busy(tmp_path: Path) -> None:
    """The call ends only after a probe was answered."""
    (tmp_path / "custom.py").write_text(
        "import pathlib, time\n"
        "folder = pathlib.Path(__file__).parent\n"
        "def score(data, model, **kwargs):\n"
        "    (folder / 'started').touch()\n"
        "    for _ in range(2000):\n"
        "        if (folder / 'probed').exists():\n"
        "            return data[['number']]\n"
        "        time.sleep(0.01)\n"
        "    raise TimeoutError('no probe was answered')\n"
    )
    with serve(tmp_path, "--target-type", "regression") as server, ThreadPoolExecutor(1) as client:
        slow = client.submit(server.post, "/predict/", "number\n1\n")
        while not (tmp_path / "started").exists():
            assert not slow.done(), slow.result().text
        assert [server.get(path, timeout=10).status_code for path in ("/", "/ping/", "/health/")] == [200] * 3
        (tmp_path / "probed").touch()
        assert slow.result().json() == {"predictions": [1.0]}
