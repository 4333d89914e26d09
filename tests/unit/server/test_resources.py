"""The memory of a container, however its kernel tells it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from custom_model_runner.server import resources

from ..folders import plant

MIB = 1024 * 1024
V1 = ("memory/memory.limit_in_bytes", "memory/memory.max_usage_in_bytes", "memory/memory.usage_in_bytes")
V2 = ("memory.max", "memory.peak", "memory.current")


@pytest.mark.parametrize("names", [V1, V2], ids=["v1", "v2"])
def test_both_kinds_of_cgroup_are_read(tmp_path: Path, names: tuple[str, str, str]) -> None:
    values = (f"{512 * MIB}\n", f"{300 * MIB}\n", f"{200 * MIB + MIB // 2}\n")
    plant(tmp_path, dict(zip(names, values, strict=True)))
    assert resources.container_memory(tmp_path) == (512.0, 300.0, 200.5)


@pytest.mark.parametrize(("names", "no_limit"), [(V1, "9223372036854771712"), (V2, "max")], ids=["v1", "v2"])
def test_a_container_without_a_limit_has_none(tmp_path: Path, names: tuple[str, str, str], no_limit: str) -> None:
    plant(tmp_path, dict(zip(names, (no_limit, str(MIB), str(MIB)), strict=True)))
    assert resources.container_memory(tmp_path) == (None, 1.0, 1.0)


def test_a_kernel_that_does_not_know_the_peak_tells_the_rest(tmp_path: Path) -> None:
    plant(tmp_path, {"memory.max": str(MIB), "memory.current": str(MIB)})
    assert resources.container_memory(tmp_path) == (1.0, None, 1.0)


def test_outside_a_container_nothing_is_known(tmp_path: Path) -> None:
    assert resources.container_memory(tmp_path) == (None, None, None)


def test_what_is_no_number_is_not_known(tmp_path: Path) -> None:
    plant(tmp_path, {"memory.max": "", "memory.peak": "?", "memory.current": str(MIB)})
    assert resources.container_memory(tmp_path) == (None, None, 1.0)


def test_the_report_names_the_first_process_and_those_below_it() -> None:
    report = resources.report(os.getpid())
    assert set(report["mem_info"]) == {
        "total",
        "avail",
        "free",
        "drum_rss",
        "container_limit",
        "container_max_used",
        "container_used",
    }
    assert all(set(facts) == {"pid", "cmdline", "mem", "cpu_percent"} for facts in report["drum_info"])
    assert report["drum_info"][0]["pid"] == os.getpid()


@pytest.mark.parametrize("flag", ["--api-token", "--api-t", "--ap", "--monitor-settings", "--monitor-s"])
def test_a_value_of_a_command_line_that_may_be_secret_is_not_shown(flag: str) -> None:
    words = ["drum", "server", flag, "secret", "--address", "0.0.0.0:80", f"{flag}=secret"]
    shown = ["drum", "server", flag, "***", "--address", "0.0.0.0:80", f"{flag}=***"]
    assert resources.without_secrets(words) == shown
