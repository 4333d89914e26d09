"""Tables that break the declared schema: 422 with its mark over HTTP, exit code 3 in batch, the same words in both."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .conftest import Server, serve
from .processes import drum
from .schema_cases import PAIRS, Pair, plant

Ended = subprocess.CompletedProcess[bytes]
by_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.side}-{pair.name}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serve(folder) as server:
        yield server


@pytest.fixture(scope="module")
def batch(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, bool], Ended]:
    """Run all tables at once: most of the time of a command is its start."""
    place = tmp_path_factory.mktemp("batch")
    jobs = [(pair.name, is_good, pair.good if is_good else pair.bad) for pair in PAIRS for is_good in (True, False)]

    def score(job: tuple[str, bool, bytes]) -> Ended:
        source = place / f"{job[0]}-{job[1]}.csv"
        source.write_bytes(job[2])
        return drum("score", "--code-dir", folder, "--input", source)

    with ThreadPoolExecutor(3) as pool:
        return dict(zip([job[:2] for job in jobs], pool.map(score, jobs), strict=True))


@by_pair
def test_a_table_that_holds_the_schema_is_scored_over_http(server: Server, pair: Pair) -> None:
    answer = server.post("/predict/", pair.good, "text/csv")
    assert answer.status_code == 200, answer.text


@by_pair
def test_a_table_that_breaks_the_schema_is_refused_over_http(server: Server, pair: Pair) -> None:
    answer = server.post("/predict/", pair.bad, "text/csv")
    assert answer.status_code == 422
    assert answer.json() == {"message": f"ERROR: {pair.message}", "is_schema_validation_error": True}


@by_pair
def test_a_table_that_holds_the_schema_is_scored_in_batch(batch: Mapping[tuple[str, bool], Ended], pair: Pair) -> None:
    ended = batch[pair.name, True]
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"Predictions\n0.0\n")


@by_pair
def test_a_table_that_breaks_the_schema_ends_a_batch(batch: Mapping[tuple[str, bool], Ended], pair: Pair) -> None:
    ended = batch[pair.name, False]
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert ended.stderr.decode() == f"drum: error: {pair.message}\n"


def test_validation_that_is_not_strict_only_logs(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(PAIRS[0].bad)
    ended = drum("score", "--code-dir", folder, "--input", source, "--disable-strict-validation")
    assert (ended.returncode, ended.stdout) == (0, b"Predictions\n0.0\n1.0\n2.0\n")
    assert PAIRS[0].message in ended.stderr.decode()


def test_an_input_that_cannot_be_used_is_no_error_of_the_schema(server: Server) -> None:
    answer = server.post("/predict/", b"", "text/csv")
    assert (answer.status_code, list(answer.json())) == (422, ["message"])


def test_requirements_of_outputs_without_a_transform_target_end_a_start_with_3(tmp_path: Path) -> None:
    folder = plant(tmp_path / "model")
    path = folder / "model-metadata.yaml"
    path.write_text(path.read_text().replace("input_requirements", "output_requirements").replace("FORBIDDEN", "NEVER"))
    ended = drum("server", "--code-dir", folder, "--address", "127.0.0.1:0")
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b"output_requirements are only valid for the target type 'transform'" in ended.stderr
