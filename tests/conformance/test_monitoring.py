"""Reports of real servers and batches: none is lost, none holds a request up, none changes an answer."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from .conftest import Server, serve
from .processes import drum

SCORE = """
import pandas as pd

def transform(data, model):
    data["a"] = -1
    return data

def score(data, model, **kwargs):
    if (data["b"] < 0).any():
        raise ValueError("below zero")
    return pd.DataFrame({"yes": data["b"] / 10, "no": 1 - data["b"] / 10})
"""
UNSTRUCTURED = """
import json, time
import pandas as pd

def score_unstructured(model, data, query, mlops=None, **kwargs):
    if mlops is None:
        return "nothing to report with"
    values = json.loads(data)
    start = time.perf_counter()
    mlops.report_predictions_data(pd.DataFrame({"x": values}), values, query.get("ids") and query["ids"].split())
    mlops.report_deployment_stats(len(values), (time.perf_counter() - start) * 1000)
    return "reported"
"""
IDS = ("--deployment-id", "the-deployment", "--model-id", "the-model")
BINARY = ("--target-type", "binary", "--positive-class-label", "yes", "--negative-class-label", "no")


def planted(folder: Path, source: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "custom.py").write_text(source)
    return folder


def to_files(directory: Path, more: str = "") -> tuple[str, ...]:
    return (*IDS, "--monitor-settings", f"spooler_type=filesystem;directory={directory}{more}")


def records(directory: Path, kind: str) -> list[dict[str, Any]]:
    texts = [path.read_text() for path in sorted(directory.glob("mlops-*.jsonl"))]
    assert all(text.endswith("\n") for text in texts)
    lines = [json.loads(line) for text in texts for line in text.splitlines()]
    assert all((line["deployment_id"], line["model_id"]) == ("the-deployment", "the-model") for line in lines)
    return [line for line in lines if line["kind"] == kind]


def warnings_at_the_end(server: Server) -> list[str]:
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(15) == 0
    return [line for line in server.log.read_text().splitlines() if "WARNING" in line]


def row(number: int) -> str:
    return f"a,b\n{number},{number % 10}\n{number},0\n"


def test_every_call_of_a_server_with_two_workers_is_in_the_spool(tmp_path: Path) -> None:
    folder, spool = planted(tmp_path / "model", SCORE), tmp_path / "spool"
    with serve(folder, *BINARY, "--max-workers", "2", "--monitor", *to_files(spool)) as server:

        def ask(number: int) -> requests.Response:
            return server.post("/predict/", row(number), headers={"X-Request-ID": f"r{number}"})

        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(ask, range(200)))
        assert {answer.status_code for answer in answers} == {200}
        assert server.post("/predict/", "a,b\n1,-1\n").status_code == 500
        assert server.post("/predict/", "").status_code == 422
    assert len(list(spool.iterdir())) == 2
    stats, data = records(spool, "deployment_stats"), records(spool, "predictions_data")
    assert sorted(one["request_id"] for one in stats) == sorted(f"r{number}" for number in range(200))
    assert {one["num_predictions"] for one in stats} == {2}
    assert all(0 < one["execution_time_ms"] < 60_000 for one in stats)
    by_request = {one["request_id"]: one for one in data}
    assert len(data) == len(by_request) == 200
    for number, answer in enumerate(answers):
        found = by_request[f"r{number}"]
        assert found["features"] == {"columns": ["a", "b"], "values": [[number] * 2, [number % 10, 0]]}
        assert found["class_names"] == ["no", "yes"]
        assert found["predictions"] == [[one["no"], one["yes"]] for one in answer.json()["predictions"]]
    assert {one["dropped"] for one in stats + data} == {0}


def test_a_server_that_is_interrupted_writes_what_it_can(tmp_path: Path) -> None:
    folder, spool = planted(tmp_path / "model", SCORE), tmp_path / "spool"
    with serve(folder, *BINARY, "--monitor", *to_files(spool)) as server:
        assert server.post("/predict/", row(1)).status_code == 200
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(10) == 0
    assert len(records(spool, "deployment_stats")) == 1


def test_a_spool_that_goes_away_changes_no_answer_and_is_told_once(tmp_path: Path) -> None:
    folder, spool = planted(tmp_path / "model", SCORE), tmp_path / "spool"
    with serve(folder, *BINARY, "--monitor", *to_files(spool)) as server:
        spool.rmdir()
        spool.write_text("no directory any more")
        for number in range(20):
            answer = server.post("/predict/", row(number))
            assert (answer.status_code, len(answer.json()["predictions"])) == (200, 2)
        [first, last] = warnings_at_the_end(server)
    assert "MLOps reports cannot be written to" in first
    assert "20 MLOps report(s) were lost" in last


@contextmanager
def with_reports_on_a_pipe(folder: Path) -> Iterator[tuple[Server, int]]:
    """Serve with reports on standard output, which is a pipe."""
    read, write = os.pipe()
    os.set_inheritable(write, True)
    flags = (*BINARY, "--monitor", *IDS, "--monitor-settings", "spooler_type=stdout")
    with serve(folder, *flags, stdout=write) as server:
        os.close(write)
        yield server, read


def test_a_destination_that_blocks_holds_no_request_up_and_no_end(tmp_path: Path) -> None:
    folder = planted(tmp_path / "model", SCORE)
    table = "a,b\n" + "1,2\n" * 20_000
    with with_reports_on_a_pipe(folder) as (server, read):
        # The first report alone fills the pipe, which nobody reads.
        for _ in range(5):
            assert server.post("/predict/", table).status_code == 200
        assert server.get("/").status_code == 200
        [warning] = warnings_at_the_end(server)
        os.close(read)
    assert "5 MLOps report(s) were lost" in warning


def test_the_hook_reports_over_http_and_only_if_told_so(tmp_path: Path) -> None:
    folder, spool = planted(tmp_path / "model", UNSTRUCTURED), tmp_path / "spool"
    with serve(folder) as server:
        assert server.post("/predictUnstructured/", "[1]").text == "nothing to report with"
    with serve(folder, "--monitor-embedded", *to_files(spool)) as server:
        for number in range(3):
            answer = server.post(
                f"/predictUnstructured/?ids=a+b+{number}", "[1, 2, 3]", headers={"X-Request-ID": f"r{number}"}
            )
            assert (answer.status_code, answer.text) == (200, "reported")
        wrong = server.post("/predictUnstructured/?ids=a", "[1, 2, 3]")
        assert wrong.status_code == 500
        assert "rows differ in number: features_df 3, predictions 3, association_ids 1" in wrong.json()["message"]
    stats, data = records(spool, "deployment_stats"), records(spool, "predictions_data")
    assert [(one["request_id"], one["num_predictions"]) for one in stats] == [("r0", 3), ("r1", 3), ("r2", 3)]
    assert [one["association_ids"] for one in data] == [["a", "b", "0"], ["a", "b", "1"], ["a", "b", "2"]]
    assert [one["predictions"] for one in data] == [[1, 2, 3]] * 3


def test_a_batch_is_reported(tmp_path: Path) -> None:
    folder, spool = planted(tmp_path / "model", SCORE), tmp_path / "spool"
    (tmp_path / "in.csv").write_text("a,b\n" + "".join(f"{number},1\n" for number in range(30_000)))
    flags = ("--code-dir", folder, "--input", tmp_path / "in.csv", "--output", tmp_path / "out.csv", *BINARY)
    done = drum("score", *flags, "--monitor", *to_files(spool))
    assert (done.returncode, done.stderr) == (0, b"")
    [stats], data = records(spool, "deployment_stats"), records(spool, "predictions_data")
    assert (stats["num_predictions"], stats["request_id"]) == (30_000, None)
    assert [value for one in data for value in one["features"]["values"][0]] == list(range(30_000))


def test_a_hook_reports_in_batch(tmp_path: Path) -> None:
    folder, spool = planted(tmp_path / "model", UNSTRUCTURED), tmp_path / "spool"
    (tmp_path / "in").write_text("[1, 2]")
    done = drum("score", "--code-dir", folder, "--input", tmp_path / "in", "--monitor-embedded", *to_files(spool))
    assert (done.stdout, done.returncode) == (b"reported", 0)
    assert [one["num_predictions"] for one in records(spool, "deployment_stats")] == [2]
    assert len(records(spool, "predictions_data")) == 1


def test_reports_of_a_batch_on_standard_output_are_apart_from_what_hooks_print(tmp_path: Path) -> None:
    folder = planted(tmp_path / "model", "print('loading')\n" + SCORE)
    (tmp_path / "in.csv").write_text(row(3))
    to_stdout = ("--monitor", *IDS, "--monitor-settings", "spooler_type=stdout")
    flags = ("--code-dir", folder, "--input", tmp_path / "in.csv", *BINARY, *to_stdout)
    done = drum("score", *flags, "--output", tmp_path / "out.csv")
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["deployment_stats", "predictions_data"]
    mixed = drum("score", *flags)
    assert (mixed.returncode, mixed.stdout) == (2, b"")


@pytest.mark.parametrize("command", ["score", "server"])
def test_an_unstructured_folder_cannot_be_monitored_as_a_structured_one(tmp_path: Path, command: str) -> None:
    folder = planted(tmp_path / "model", UNSTRUCTURED)
    (tmp_path / "in").write_text("[1]")
    place = ("--input", tmp_path / "in") if command == "score" else ("--address", "127.0.0.1:0")
    done = drum(command, "--code-dir", folder, *place, "--monitor", *to_files(tmp_path / "spool"))
    assert done.returncode == 2
    assert b"MLOps monitoring can not be used in unstructured mode" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


CLIENT = """
import json, os

def score_unstructured(model, data, **kwargs):
    return json.dumps({name: os.environ.get(name) for name in ("DATAROBOT_ENDPOINT", "DATAROBOT_API_TOKEN")})
"""


def test_user_code_is_told_where_the_api_is_if_that_is_allowed(tmp_path: Path) -> None:
    folder = planted(tmp_path / "model", CLIENT)
    (tmp_path / "in").write_text("x")
    flags = ("--code-dir", folder, "--input", tmp_path / "in", "--webserver", "https://x.org", "--api-token", "t")
    silent, told = drum("score", *flags), drum("score", *flags, "--allow-dr-api-access")
    assert json.loads(silent.stdout) == {"DATAROBOT_ENDPOINT": None, "DATAROBOT_API_TOKEN": None}
    assert json.loads(told.stdout) == {"DATAROBOT_ENDPOINT": "https://x.org/api/v2", "DATAROBOT_API_TOKEN": "t"}
