"""What a worker tells its operators of requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from custom_model_runner import plugins
from custom_model_runner.data.exchange import Exchange, Watcher
from custom_model_runner.monitoring import tracing
from custom_model_runner.plugins import PACKAGE, Plugin
from custom_model_runner.server.board import open_board
from custom_model_runner.server.telemetry import find_tracing, open_telemetry
from custom_model_runner.settings import ServerSettings
from tests.counters import kept_in

ENDPOINT = "http://127.0.0.1:4318"


@pytest.fixture
def counters(tmp_path: Path) -> Iterator[Path]:
    """A folder for counters."""
    with kept_in(tmp_path):
        yield tmp_path


def test_spans_are_sent_where_an_endpoint_is_named_and_nothing_forbids_it() -> None:
    assert find_tracing(ServerSettings(otlp_endpoint=ENDPOINT)) is tracing
    assert find_tracing(ServerSettings()) is None
    assert find_tracing(ServerSettings(otlp_endpoint=ENDPOINT, otel_disabled=True)) is None


def test_a_server_without_the_library_says_what_to_install_and_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "needs_it.py").write_text("import opentelemetry_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "ENTRIES", {"tracing": Plugin("needs_it", "otel")})
    assert find_tracing(ServerSettings(otlp_endpoint=ENDPOINT)) is None
    told = capsys.readouterr().err
    assert told.startswith("drum: OTEL_EXPORTER_OTLP_ENDPOINT is set, but no spans will be sent: ")
    assert 'pip install "custom-model-runner[otel]"' in told


def test_spans_begin_before_the_counting_so_that_it_is_not_part_of_them(
    counters: Path,
) -> None:
    seen: list[Exchange] = []
    opened = tracing.Tracing(Watcher(seen.append), close=lambda seconds: None)
    module: Any = SimpleNamespace(open_tracing=lambda service: opened)
    board = open_board(1)
    telemetry = open_telemetry(
        ServerSettings(metrics_directory=counters),
        board,
        board.generations[0].slots[0],
        tracing=module,
        service="ships",
    )
    assert telemetry.watchers[0] is opened.watcher
    assert telemetry.close is opened.close
    telemetry.watchers[1].end(Exchange("GET", "/", "r", {}, route="/info", status=200))
    assert b'drum_requests_total{route="/info",status="200"} 1.0' in telemetry.expose()


def test_the_library_has_its_line_among_the_entries() -> None:
    assert plugins.ENTRIES["tracing"] == Plugin(f"{PACKAGE}.monitoring.tracing", "otel")
