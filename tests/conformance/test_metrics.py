"""The metrics of real servers: of all workers, on both ports, and still there when workers are not."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import requests
from prometheus_client.parser import text_string_to_metric_families

from ..promlint import complaints
from .conftest import Server, serve
from .test_supervisor import free_port, until

SOURCE = """
import pathlib
import time
from prometheus_client import Counter

SEEN = Counter("ships_seen", "Ships.")

def score(data, model, **kwargs):
    while "slow" in data and not pathlib.Path(__file__).with_name("go").exists():
        time.sleep(0.01)
    SEEN.inc(len(data))
    return data[["x"]]
"""
ROWS = "x\n1\n2\n3\n"


def metrics(port: int) -> dict[str, float]:
    """Return each sample, named as it is written."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert complaints(answer.text) == []
    return {
        sample.name + "".join(f"|{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def workers(server: Server) -> list[psutil.Process]:
    return [child for child in psutil.Process(server.process.pid).children(recursive=True) if not child.children()]


def predict(server: Server, times: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.post("/predict/", ROWS, "text/csv"), range(times)))
    assert {answer.status_code for answer in answers} == {200}


def test_counts_add_up_over_workers_ports_deaths_and_reloads(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    port = free_port()
    args = ["--target-type", "regression", "--max-workers", "2", "--probe-address", f"127.0.0.1:{port}"]
    with serve(tmp_path, *args) as server:
        until(lambda: metrics(port)["drum_workers|state=ready"] == 2)
        served = "drum_requests_total|route=/predict|status=200"
        predict(server, 40)
        before = metrics(port)
        assert before[served] == metrics(server.port)[served] == 40
        assert before["drum_rows_total"] == before["ships_seen_total"] == 120
        assert before["drum_stage_duration_seconds_count|stage=score"] == 40
        assert before["drum_request_duration_seconds_count|route=/predict"] == 40

        for victim in workers(server):
            os.kill(victim.pid, signal.SIGKILL)
        until(lambda: metrics(port)["drum_worker_restarts_total|reason=signal"] == 2)
        until(lambda: metrics(port)["drum_workers|state=ready"] == 2)
        predict(server, 40)
        gone = [worker.pid for worker in workers(server)]
        server.process.send_signal(signal.SIGHUP)
        until(lambda: not any(psutil.pid_exists(pid) for pid in gone))
        assert metrics(port)["drum_reloads_total"] == 1
        until(lambda: metrics(port)["drum_workers|state=ready"] == 2)
        predict(server, 40)
        after = metrics(port)
        assert after[served] == 120
        assert after["drum_rows_total"] == after["ships_seen_total"] == 360
        assert after["drum_ready"] == 1


def test_calls_are_shown_while_they_run_and_while_they_wait(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SOURCE)
    with serve(tmp_path, "--target-type", "regression") as server, ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(server.post, "/predict/", "x,slow\n1,2\n", "text/csv") for _ in range(2)]
        until(lambda: metrics(server.port)["drum_calls_in_flight"] == 1)
        until(lambda: metrics(server.port)["drum_calls_waiting"] == 1)
        (tmp_path / "go").touch()
        assert {call.result().status_code for call in calls} == {200}
        now = metrics(server.port)
        assert now["drum_calls_in_flight"] == now["drum_calls_waiting"] == 0


def test_errors_are_counted_wherever_they_arise(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text("def score(data, model, **kwargs): raise ValueError")
    with serve(tmp_path, "--target-type", "regression", env={"URL_PREFIX": "/pre"}) as server:
        server.post("/pre/predict/", ROWS, "text/csv")
        server.post("/pre/predict/", b"", "text/csv")
        for _ in range(3):
            server.get(f"/pre/{time.monotonic()}")
        server.request("GET", "/" + "x" * 9000)
        found = metrics(server.port)
    assert {key: value for key, value in found.items() if key.startswith("drum_errors_total") and value} == {
        "drum_errors_total|error=UserCodeError": 1,
        "drum_errors_total|error=InputError": 1,
        "drum_errors_total|error=NotFound": 3,
        "drum_errors_total|error=MalformedRequest": 1,
    }
    assert found["drum_requests_total|route=unmatched|status=404"] == 3
    assert found["drum_requests_total|route=unmatched|status=414"] == 1
    assert found["drum_requests_total|route=/predict|status=500"] == 1


def test_a_folder_that_cannot_be_loaded_is_counted_too_and_nothing_is_left_of_the_counters(tmp_path: Path) -> None:
    folder, place = tmp_path / "folder", tmp_path / "place"
    for one in (folder, place):
        one.mkdir()
    (folder / "custom.py").write_text("import no_such_library")
    env = {"PROMETHEUS_MULTIPROC_DIR": str(place)}
    with serve(folder, "--target-type", "regression", "--with-error-server", env=env) as server:
        server.post("/predict/", ROWS, "text/csv")
        found = metrics(server.port)
        assert len(list(place.iterdir())) == 1
    assert found["drum_requests_total|route=/predict|status=513"] == 1
    assert found["drum_errors_total|error=LoadError"] >= 1
    assert (found["drum_ready"], found["drum_workers|state=failed"]) == (0, 1)
    assert list(place.iterdir()) == []
