"""How many connections a worker may hold."""

from __future__ import annotations

import resource

import pytest

from custom_model_runner.server.gunicorn import OTHER_FILES, most_connections

INFINITE = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("files", "expected", "raised"),
    [
        ((4096, 4096), 1000, None),
        ((INFINITE, INFINITE), 1000, None),
        ((256, INFINITE), 1000, 1000 + OTHER_FILES),
        ((256, 4096), 1000, 1000 + OTHER_FILES),
        ((256, 1024), 1024 - OTHER_FILES, 1024),
        ((64, 120), 60, 120),
    ],
)
def test_files_are_allowed_for_the_connections_that_are_wanted_or_fewer_are_taken(
    monkeypatch: pytest.MonkeyPatch, files: tuple[int, int], expected: int, raised: int | None
) -> None:
    set_to: list[int] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: files)
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: set_to.append(pair[0]))
    assert most_connections(1000) == expected
    assert set_to == ([] if raised is None else [raised])
