"""The bodies of `/info/`, `/capabilities/` and `/stats/`, and the line that says where the server listens."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression

from .conftest import Server, serve

# Each prediction is the process that made it, after a call of known length.
SLEEPER = """
import os, time
def score(data, model, **kwargs):
    time.sleep(0.05)
    return (data[["x"]] * 0 + os.getpid())
"""
METADATA = """
name: flowers
type: inference
targetType: multiclass
inferenceModel:
  targetName: species
  classLabels: [setosa, virginica, other]
"""
SECONDS = 0.05
MEMORY = {"total", "avail", "free", "drum_rss", "container_limit", "container_max_used", "container_used"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SLEEPER)
    return folder


@pytest.fixture(scope="module")
def timed(folder: Path) -> Iterator[Server]:
    with serve(folder, "--target-type", "regression", "--max-workers", "2", "--show-perf") as server:
        yield server


@pytest.fixture(scope="module")
def untimed(folder: Path) -> Iterator[Server]:
    labels = ["--positive-class-label", "yes", "--negative-class-label", "no"]
    with serve(folder, "--target-type", "binary", "--max-workers", "2", *labels) as server:
        yield server


def use_both_workers(server: Server) -> tuple[set[int], int]:
    """Send requests side by side until two processes have answered; return them and the number sent."""
    seen: set[int] = set()
    sent = 0
    with ThreadPoolExecutor(8) as clients:
        while len(seen) < 2 and sent < 400:
            answers = clients.map(lambda _: server.post("/predict/", b"x\n1\n").json(), range(8))
            seen |= {int(answer["predictions"][0]) for answer in answers}
            sent += 8
    assert len(seen) == 2, "only one worker answered"
    return seen, sent


def times(stats: Mapping[str, Any]) -> Any:
    assert list(stats["time_info"]) == ["run_predictor_total"]
    return stats["time_info"]["run_predictor_total"]


def test_stats_times_cover_all_workers_and_reading_resets_them(timed: Server) -> None:
    timed.get("/stats/")
    _, sent = use_both_workers(timed)
    read = times(timed.get("/stats/").json())
    assert set(read) == {"min", "max", "avg", "total"}
    assert SECONDS <= read["min"] <= read["avg"] <= read["max"]
    assert round(read["total"] / read["avg"]) == sent
    assert all(round(number, 3) == number for number in read.values())
    assert times(timed.get("/stats/").json()) is None


def test_stats_times_start_again_after_a_reading(timed: Server) -> None:
    use_both_workers(timed)
    timed.get("/stats/")
    timed.post("/predict/", b"x\n1\n")
    read = times(timed.get("/stats/").json())
    assert read["min"] == read["max"] == read["avg"] == read["total"] >= SECONDS


def test_stats_list_the_processes_of_all_workers(timed: Server) -> None:
    workers, _ = use_both_workers(timed)
    for _ in range(4):
        listed = timed.get("/stats/").json()["drum_info"]
        assert workers <= {entry["pid"] for entry in listed}
        for entry in listed:
            assert set(entry) == {"pid", "cmdline", "mem", "cpu_percent"}
            assert entry["mem"] > 1
            assert entry["cpu_percent"] >= 0


def test_stats_memory_is_in_mib_and_sums_all_processes(timed: Server) -> None:
    stats = timed.get("/stats/").json()
    memory = stats["mem_info"]
    assert set(memory) == MEMORY
    assert 0 < memory["free"] <= memory["total"]
    assert 0 < memory["avail"] <= memory["total"]
    assert 20 < memory["drum_rss"] < memory["total"]
    assert memory["drum_rss"] == pytest.approx(sum(entry["mem"] for entry in stats["drum_info"]), rel=0.1)


def test_stats_have_no_times_without_show_perf(untimed: Server) -> None:
    untimed.post("/predict/", b"x\n1\n")
    stats = untimed.get("/stats/").json()
    assert set(stats) == {"mem_info", "drum_info", "time_info"}
    assert times(stats) is None


def test_capabilities_name_the_formats_with_the_library_that_reads_them(timed: Server) -> None:
    formats = timed.get("/capabilities/").json()["supported_payload_formats"]
    columnar = dict.fromkeys(("arrow", "parquet"), version("pyarrow"))
    assert formats.items() >= {"csv": None, "mtx": None, "json": None, "ndjson": None, **columnar}.items()


def test_capabilities_name_what_an_answer_can_be(timed: Server) -> None:
    formats = timed.get("/capabilities/").json()["supported_answer_formats"]
    assert set(formats) == {"csv", "json", "ndjson", "arrow", "parquet"}
    for media_type in (name for names in formats.values() for name in names):
        answer = timed.post("/predict/", b"x\n1\n", headers={"Accept": media_type})
        assert answer.headers["Content-Type"].split(";")[0] == media_type


def test_capabilities_name_the_encodings_of_bodies(timed: Server) -> None:
    assert timed.get("/capabilities/").json()["supported_content_encodings"] == ["gzip", "zstd"]


def test_a_folder_without_the_hook_does_not_chat(timed: Server) -> None:
    assert timed.get("/capabilities/").json()["supported_methods"] == {"chat": False}
    for path in ("/chat/completions", "/v1/chat/completions/"):
        answer = timed.post(path, b'{"messages": []}', "application/json")
        assert answer.status_code == 404
        assert "This model has target type 'regression', but chat is not supported" in answer.json()["error"]["message"]
    assert timed.get("/v1/models").status_code == 404


def test_info_of_hooks_for_a_regression(timed: Server, folder: Path) -> None:
    assert timed.get("/info/").json() == {
        "codeDir": str(folder),
        "targetType": "regression",
        "predictor": None,
        "language": "python",
        "drumVersion": timed.get("/").headers["X-Drum-Version"],
        "drumServer": "flask",
        "modelMetadata": None,
    }


def test_info_of_a_binary_model_has_its_labels(untimed: Server) -> None:
    info = untimed.get("/info/").json()
    assert (info["targetType"], info["positiveClassLabel"], info["negativeClassLabel"]) == ("binary", "yes", "no")
    assert "classLabels" not in info


def test_info_of_a_multiclass_model_has_labels_and_metadata(tmp_path: Path) -> None:
    (tmp_path / "custom.py").write_text(SLEEPER)
    (tmp_path / "model-metadata.yaml").write_text(METADATA)
    with serve(tmp_path) as server:
        info = server.get("/info/").json()
    assert (info["targetType"], info["classLabels"]) == ("multiclass", ["setosa", "virginica", "other"])
    assert info["modelMetadata"]["name"] == "flowers"
    assert info["modelMetadata"]["inferenceModel"]["targetName"] == "species"
    assert "positiveClassLabel" not in info


def test_info_of_an_artifact_names_its_framework(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])))
    with serve(tmp_path) as server:
        info = server.get("/info/").json()
    assert (info["predictor"], info["targetType"], info["language"]) == ("scikit-learn", "regression", "python")


def test_the_server_says_where_it_listens(timed: Server, folder: Path) -> None:
    line = f"drum: serving {folder} on http://127.0.0.1:{timed.port}"
    assert line in timed.log.read_text().splitlines()
