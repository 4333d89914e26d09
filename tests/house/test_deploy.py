"""deploy/: the dashboard and the alerts ask for metrics that the server has, and the guide knows them all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from custom_model_runner.data.exchange import Exchange
from custom_model_runner.data.observation import Observation
from custom_model_runner.monitoring.exposition import exposition
from custom_model_runner.monitoring.facts import Facts
from custom_model_runner.monitoring.metrics import open_metrics
from tests.counters import kept_in

from .tree import REPOSITORY, expect_none

DASHBOARD, ALERTS = "deploy/grafana-dashboard.json", "deploy/prometheus-alerts.yml"
GUIDE = "docs/observability.md"
NAME = re.compile(r"\bdrum_[a-z_]+")
SELECTOR = re.compile(r"\b(drum_[a-z_]+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*[=!]~?")
# Put there by whoever scrapes.
SCRAPED = frozenset({"instance"})
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")
FULL = Facts(load_seconds=1.0, workers={"ready": 1}, worker_restarts={"exit": 1})


@pytest.fixture
def served(tmp_path: Path) -> Mapping[str, frozenset[str]]:
    """Every sample that a server exposes, with the names of its labels."""
    with kept_in(tmp_path):
        return exposed_in(tmp_path)


def exposed_in(folder: Path) -> dict[str, frozenset[str]]:
    """Return what a server exposes that has counted all there is to count."""
    metrics, exchange = open_metrics(0), Exchange("POST", "/", "r", {}, failure="InputError")
    exchange.stages.end("score")
    metrics.count(exchange)
    metrics.observe(Observation(1, 0.1, None))
    families = text_string_to_metric_families(exposition(folder, FULL).decode())
    return {sample.name: frozenset(sample.labels) for family in families for sample in family.samples}


def text_of(path: str) -> str:
    return (REPOSITORY / path).read_text(encoding="utf-8")


def dashboard_queries(text: str) -> list[str]:
    """Return what a dashboard asks for."""
    dashboard: Any = json.loads(text)
    variables = [variable["query"]["query"] for variable in dashboard["templating"]["list"] if "refresh" in variable]
    return [*variables, *(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])]


def alert_queries(text: str) -> list[str]:
    """Return what rules for alerts ask for."""
    return [rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def query_complaints(queries: Sequence[str], served: Mapping[str, frozenset[str]]) -> list[str]:
    """Name every metric, and every label of one, that is asked for and does not exist."""
    names = {name: None for query in queries for name in NAME.findall(query)}
    complaints = [f"{name} is asked for and not exposed" for name in names if name not in served]
    for query in queries:
        for name, inside in SELECTOR.findall(query):
            asked = set(LABEL.findall(re.sub(r'"[^"]*"', '""', inside)))
            extra = sorted(asked - SCRAPED - served.get(name, frozenset(asked)))
            complaints += [f"{name} has no label {label}" for label in extra]
    return complaints


def test_the_dashboard_and_the_alerts_ask_for_what_there_is(served: Mapping[str, frozenset[str]]) -> None:
    queries = dashboard_queries(text_of(DASHBOARD)) + alert_queries(text_of(ALERTS))
    assert len(queries) > 20
    expect_none(query_complaints(queries, served))


def test_the_guide_names_every_metric_and_no_other(served: Mapping[str, frozenset[str]]) -> None:
    exposed = {HISTOGRAM.sub("", name) for name in served if not name.endswith("_created")}
    rows = [line for line in text_of(GUIDE).splitlines() if line.startswith("| `drum_")]
    assert {name for row in rows for name in NAME.findall(row.split("|")[1])} == exposed


def test_the_dashboard_shows_every_metric(served: Mapping[str, frozenset[str]]) -> None:
    asked = {HISTOGRAM.sub("", name) for query in dashboard_queries(text_of(DASHBOARD)) for name in NAME.findall(query)}
    assert asked == {HISTOGRAM.sub("", name) for name in served}


def test_a_wrong_name_and_a_wrong_label_are_complaints() -> None:
    queries = ['rate(drum_good_total{colour="red",instance=~"$instance"}[5m])', "drum_bad > 0"]
    assert query_complaints(queries, {"drum_good_total": frozenset({"route"})}) == [
        "drum_bad is asked for and not exposed",
        "drum_good_total has no label colour",
    ]
