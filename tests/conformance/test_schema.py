"""Tables that break the declared schema: 422 with its mark over HTTP, exit code 3 in batch, the same words in both."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from .. import warm
from ..warm import Run
from .conftest import Server, serve
from .processes import environment
from .schema_cases import PAIRS, Pair, plant

Ended = subprocess.CompletedProcess[bytes]
SUFFIXES = {"text/csv": ".csv", "text/mtx": ".mtx"}
ROUTES = {"input": "/predict/", "output": "/transform/"}
by_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.side}-{pair.name}")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    return {side: plant(tmp_path_factory.mktemp(side), side) for side in ROUTES}


@pytest.fixture(scope="module")
def servers(folders: Mapping[str, Path]) -> Iterator[Mapping[str, Server]]:
    with ExitStack() as stack:
        yield {side: stack.enter_context(serve(folder)) for side, folder in folders.items()}


@pytest.fixture(scope="module")
def drum() -> Iterator[Run]:
    with warm.commands(environment) as run:
        yield run


@pytest.fixture(scope="module")
def batch(
    drum: Run, folders: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[tuple[Pair, bool], Ended]:
    place = tmp_path_factory.mktemp("batch")

    def score(pair: Pair, is_good: bool) -> Ended:
        suffix = ".csv" if is_good else SUFFIXES[pair.bad_type]
        source = place / f"{pair.side}-{pair.name}-{is_good}{suffix}"
        source.write_bytes(pair.good if is_good else pair.bad)
        return drum("score", "--code-dir", folders[pair.side], "--input", source)

    return {(pair, is_good): score(pair, is_good) for pair in PAIRS for is_good in (True, False)}


def send(servers: Mapping[str, Server], pair: Pair, data: bytes, media_type: str) -> requests.Response:
    files = {"X": (f"X{SUFFIXES[media_type]}", data)}
    return servers[pair.side].post(ROUTES[pair.side], files=files)


@by_pair
def test_a_table_that_holds_the_schema_passes_over_http(servers: Mapping[str, Server], pair: Pair) -> None:
    answer = send(servers, pair, pair.good, "text/csv")
    assert answer.status_code == 200, answer.text


@by_pair
def test_a_table_that_breaks_the_schema_is_refused_over_http(servers: Mapping[str, Server], pair: Pair) -> None:
    answer = send(servers, pair, pair.bad, pair.bad_type)
    assert answer.status_code == 422
    assert answer.json() == {"message": f"ERROR: {pair.message}", "is_schema_validation_error": True}


@by_pair
def test_a_table_that_holds_the_schema_passes_in_batch(batch: Mapping[tuple[Pair, bool], Ended], pair: Pair) -> None:
    ended = batch[pair, True]
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert len(ended.stdout.splitlines()) == len(pair.good.splitlines())


@by_pair
def test_a_table_that_breaks_the_schema_ends_a_batch(batch: Mapping[tuple[Pair, bool], Ended], pair: Pair) -> None:
    ended = batch[pair, False]
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert ended.stderr.decode() == f"drum: error: {rows_of(pair)}{pair.message}\n"


def rows_of(pair: Pair) -> str:
    """Return which rows of which file a batch names: those of an output that was made of them."""
    rows = len(pair.bad.splitlines()) - 1
    told = "Row 1" if rows == 1 else f"Rows 1 to {rows}"
    return f"{told} of 'output-{pair.name}-False.csv': " if pair.side == "output" else ""


def test_the_table_has_eight_pairs() -> None:
    assert len({(pair.side, pair.name) for pair in PAIRS}) == 8


def test_a_raw_body_is_checked_like_a_form(servers: Mapping[str, Server]) -> None:
    answer = servers["input"].post("/invocations", PAIRS[0].bad, "text/csv")
    assert answer.json() == {"message": f"ERROR: {PAIRS[0].message}", "is_schema_validation_error": True}


@pytest.mark.parametrize("side", ROUTES)
def test_validation_that_is_not_strict_only_logs(
    drum: Run, folders: Mapping[str, Path], side: str, tmp_path: Path
) -> None:
    (pair,) = (pair for pair in PAIRS if (pair.side, pair.name) == (side, "data_types"))
    source = tmp_path / "in.csv"
    source.write_bytes(pair.bad)
    ended = drum("score", "--code-dir", folders[side], "--input", source, "--disable-strict-validation")
    assert (ended.returncode, len(ended.stdout.splitlines())) == (0, 4)
    assert pair.message in ended.stderr.decode()


def test_an_input_that_cannot_be_used_is_no_error_of_the_schema(servers: Mapping[str, Server]) -> None:
    answer = servers["input"].post("/predict/", b"", "text/csv")
    assert (answer.status_code, list(answer.json())) == (422, ["message"])


def test_requirements_of_outputs_without_a_transform_target_end_a_start_with_3(drum: Run, tmp_path: Path) -> None:
    folder = plant(tmp_path / "model", "output")
    path = folder / "model-metadata.yaml"
    path.write_text(path.read_text().replace("transform", "regression"))
    ended = drum("server", "--code-dir", folder, "--address", "127.0.0.1:0")
    assert (ended.returncode, ended.stdout) == (3, b"")
    assert b"output_requirements are only valid for the target type 'transform'" in ended.stderr
