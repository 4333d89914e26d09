"""Counters that outlive their worker, and the page that shows them."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from custom_model_runner.data.exchange import Exchange
from custom_model_runner.data.observation import Observation
from custom_model_runner.data.stages import Stages
from custom_model_runner.errors import RunnerError
from custom_model_runner.monitoring import exposition
from custom_model_runner.monitoring.facts import Facts
from custom_model_runner.monitoring.metrics import Metrics, open_metrics
from tests import promlint
from tests.counters import kept_in

Labels = tuple[tuple[str, str], ...]
EVERY_FACT = Facts(
    is_ready=True,
    calls_in_flight=1,
    calls_waiting=2,
    calls_limit=65,
    calls_overdue=3,
    load_seconds=0.5,
    workers={"ready": 2, "loading": 0},
    worker_restarts={"signal": 7},
    reloads=6,
    failed_reloads=5,
    lost_generations=1,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for counters."""
    with kept_in(tmp_path):
        yield tmp_path


def shown(folder: Path, facts: Facts | None = None) -> dict[tuple[str, Labels], float]:
    """Return the value of each sample, by name and labels."""
    text = exposition.exposition(folder, facts or Facts()).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def exchange(route: str = "/predict", status: int = 200, failure: str | None = None) -> Exchange:
    stages = Stages(iter([0.0, 0.25, 1.0]).__next__)
    stages.end("decode")
    stages.end("score")
    return Exchange("POST", "/", "r", {}, stages, route, status, failure, seconds=1.5)


def count(metrics: Metrics, *exchanges: Exchange) -> None:
    for one in exchanges:
        metrics.count(one)


def test_requests_are_counted_by_route_and_status_and_errors_by_class(folder: Path) -> None:
    count(open_metrics(0), exchange(), exchange(), exchange(status=422, failure="InputError"), exchange("/health"))
    samples = shown(folder)
    assert samples["drum_requests_total", (("route", "/predict"), ("status", "200"))] == 2
    assert samples["drum_requests_total", (("route", "/predict"), ("status", "422"))] == 1
    assert samples["drum_requests_total", (("route", "/health"), ("status", "200"))] == 1
    assert samples["drum_errors_total", (("error", "InputError"),)] == 1


def test_the_seconds_of_requests_and_of_their_stages_are_added_up(folder: Path) -> None:
    count(open_metrics(0), exchange(), exchange())
    samples = shown(folder)
    assert samples["drum_request_duration_seconds_sum", (("route", "/predict"),)] == 3.0
    assert samples["drum_request_duration_seconds_bucket", (("le", "1.0"), ("route", "/predict"))] == 0
    assert samples["drum_request_duration_seconds_bucket", (("le", "2.5"), ("route", "/predict"))] == 2
    assert samples["drum_stage_duration_seconds_sum", (("stage", "decode"),)] == 0.5
    assert samples["drum_stage_duration_seconds_sum", (("stage", "score"),)] == 1.5


def test_rows_are_counted_of_calls_that_went_well(folder: Path) -> None:
    metrics = open_metrics(0)
    for observation in (Observation(3, 0.1, None), Observation(4, 0.1, None), Observation(9, 0.1, "UserCodeError")):
        metrics.observe(observation)
    assert shown(folder)["drum_rows_total", ()] == 7


def test_no_refusals_is_a_number_too(folder: Path) -> None:
    open_metrics(0)
    assert {labels: value for (name, labels), value in shown(folder).items() if name == "drum_errors_total"} == {
        (("error", name),): 0 for name in ("Overloaded", "TimedOut", "TooSlow")
    }


# Older versions of the library close the files of a worker by forgetting them.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_counts_of_all_workers_are_added_up_and_a_successor_goes_on_where_the_one_before_was(folder: Path) -> None:
    count(open_metrics(0), exchange())
    count(open_metrics(1), exchange(), exchange())
    successor = open_metrics(1)
    count(successor, exchange())
    samples = shown(folder)
    assert samples["drum_requests_total", (("route", "/predict"), ("status", "200"))] == 4
    assert samples["drum_stage_duration_seconds_count", (("stage", "score"),)] == 4
    assert sorted(path.name for path in folder.iterdir()) == [
        f"{kind}_{slot}.db" for kind in ("counter", "histogram") for slot in (0, 1)
    ]


def test_the_state_of_the_server_is_shown(folder: Path) -> None:
    samples = shown(folder, EVERY_FACT)
    assert {name: value for (name, labels), value in samples.items() if not labels} == {
        "drum_ready": 1,
        "drum_calls_in_flight": 1,
        "drum_calls_waiting": 2,
        "drum_calls_limit": 65,
        "drum_calls_overdue": 3,
        "drum_model_load_seconds": 0.5,
        "drum_reloads_total": 6,
        "drum_failed_reloads_total": 5,
        "drum_lost_generations_total": 1,
    }
    assert samples["drum_workers", (("state", "ready"),)] == 2
    assert samples["drum_worker_restarts_total", (("reason", "signal"),)] == 7
    ((_, labels),) = [key for key in samples if key[0] == "drum_build_info"]
    assert [name for name, _ in labels] == ["python", "version"]


def test_what_nobody_knows_is_not_shown(folder: Path) -> None:
    names = {name for name, _ in shown(folder)}
    assert "drum_model_load_seconds" not in names


def test_the_page_is_read_by_a_parser_that_is_strict_and_follows_the_rules_of_names(folder: Path) -> None:
    count(open_metrics(0), exchange(failure="InputError"))
    text = exposition.exposition(folder, EVERY_FACT).decode()
    assert promlint.complaints(text) == []
    # In OpenMetrics the family of a counter has no suffix, and there is an end.
    lines = [
        line.replace("_total ", " ", 1) if line.startswith("#") and "counter" in line + follower else line
        for line, follower in zip(text.splitlines(), [*text.splitlines()[1:], ""], strict=True)
    ]
    families = list(read_openmetrics("\n".join([*lines, "# EOF\n"])))  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {"drum_requests", "drum_stage_duration_seconds", "drum_ready"}
    assert all(family.documentation.endswith(".") for family in families)


def test_a_file_that_is_being_made_is_told_apart_from_a_bug(folder: Path) -> None:
    (folder / "counter_7.db").write_bytes(b"")
    with pytest.raises(RunnerError, match="counters of the workers cannot be read"):
        exposition.exposition(folder, Facts())
    (folder / "counter_7.db").write_bytes(struct.pack("ii", 64, 0) + struct.pack("i", 4096) + bytes(52))
    with pytest.raises(RunnerError, match="counters of the workers cannot be read"):
        exposition.exposition(folder, Facts())


def test_a_file_that_code_of_the_folder_has_left_among_the_counters_is_told_apart_from_a_bug(folder: Path) -> None:
    counters = MmapedDict(str(folder / "gauge_mine.db"))  # type: ignore[no-untyped-call]
    counters.write_value(mmap_key("a", "a", [], [], "help"), 1.0, 0.0)  # type: ignore[no-untyped-call]
    counters.close()  # type: ignore[no-untyped-call]
    with pytest.raises(RunnerError, match="counters of the workers cannot be read"):
        exposition.exposition(folder, Facts())


def test_every_fact_is_among_those_of_the_test() -> None:
    assert all(getattr(EVERY_FACT, field.name) != field.default for field in dataclasses.fields(Facts))
