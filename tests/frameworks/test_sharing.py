"""Models that are loaded once and shared by forked workers: none hangs, and all say what the framework says."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from custom_model_runner import plugins

from .runs import PATIENCE, make, serve
from .table import INEXACT, Case, cases_of

CLIENTS = 6
REQUESTS = 20
TOLERANCE = 1e-6
READY = 'drum_workers{state="ready"} 2.0'
NOT_SHARED = "the model is not shared by workers"


def cases(framework: str) -> list[Case]:
    """Return one case of each suffix."""
    return list({case.suffix: case for case in cases_of(framework) if case.target == "regression"}.values())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try the chosen framework."""
    framework = metafunc.config.getoption("--framework", None)
    if framework is None:
        raise pytest.UsageError(f"choose one with --framework: {', '.join(plugins.FRAMEWORKS)}")
    metafunc.parametrize("made", cases(framework), indirect=True, scope="module", ids=str)


@pytest.fixture(scope="module")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, Path]:
    folder = tmp_path_factory.mktemp("made") / "code"
    folder.mkdir()
    make(request.param, folder)
    return request.param, folder


def ask(address: str, body: bytes) -> list[list[float]]:
    """Send some requests on one connection and return what each is told."""
    with requests.Session() as session:
        session.trust_env = False
        answers = [
            session.post(f"{address}/predict/", data=body, headers={"Content-Type": "text/csv"}, timeout=60)
            for _ in range(REQUESTS)
        ]
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    return [answer.json()["predictions"] for answer in answers]


def workers_of(address: str) -> list[psutil.Process]:
    """Wait until both workers are ready and return them; the first process and its master are told before them."""
    deadline = time.monotonic() + PATIENCE
    while READY not in requests.get(f"{address}/metrics", timeout=60).text:
        assert time.monotonic() < deadline, "there are not two workers"
        time.sleep(0.1)
    told = requests.get(f"{address}/stats/", timeout=60).json()["drum_info"]
    _, _, *workers = (psutil.Process(one["pid"]) for one in told)
    return workers


@pytest.mark.parametrize("threads", ["1", "2"])
def test_shared_or_not_all_workers_answer_under_load(made: tuple[Case, Path], threads: str, tmp_path: Path) -> None:
    case, folder = made
    expected: Any = [row[0] for row in json.loads((folder / "expected.json").read_text())["values"]]
    if case.framework in INEXACT:
        expected = pytest.approx(expected, rel=TOLERANCE)
    log = tmp_path / "log"
    words = ("--target-type", case.target, "--max-workers", "2", "--logging-level", "info")
    with serve(case.framework, folder, log, *words, env={"OMP_NUM_THREADS": threads}) as address:
        body = (folder / "input.csv").read_bytes()
        workers = workers_of(address)
        before = [worker.cpu_times().user for worker in workers]
        spent, deadline = [0.0], time.monotonic() + PATIENCE
        with ThreadPoolExecutor(CLIENTS) as clients:
            # A connection goes to any worker, and the kernel counts in hundredths of a second.
            while not all(spent) and time.monotonic() < deadline:
                for answers in clients.map(lambda _: ask(address, body), range(CLIENTS)):
                    assert all(answer == expected for answer in answers)
                spent = [worker.cpu_times().user - was for worker, was in zip(workers, before, strict=True)]
        threads_in_each = [worker.num_threads() for worker in workers]
    survives = plugins.FRAMEWORKS[case.framework].survives_fork
    is_shared = survives and NOT_SHARED not in log.read_text()
    print(
        f"\n{case}, OMP_NUM_THREADS={threads}: {CLIENTS * REQUESTS} requests at a time answered by 2 workers, "
        f"the model {'shared' if is_shared else 'loaded by each'}; threads {threads_in_each}, seconds {spent}"
    )
    assert all(seconds > 0 for seconds in spent), "a worker had nothing to do"
    # Loading with more threads may leave some behind, and then nothing is shared.
    if survives and threads == "1":
        assert is_shared
