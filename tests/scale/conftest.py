"""What batches of very many rows take, and what is left of those that are killed: `make test-scale` runs all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from benchmarks import batch

from ..conformance.processes import DRUM

Score = Callable[..., Mapping[str, float]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="take ten million rows, 2 GB, and not half a million")


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--full"))


@pytest.fixture
def score(tmp_path: Path) -> Score:
    """Run `drum score` to its end, and return seconds and the highest memory of all its processes together."""

    def run(*words: object, piped: Path | None = None) -> Mapping[str, float]:
        command = [DRUM, "score", *map(str, words)]
        if piped is not None:
            command = ["sh", "-c", 'cat "$0" | "$@"', str(piped), *command]
        return batch.run(command, log=tmp_path / "log")

    return run
