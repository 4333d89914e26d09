"""One framework per process: `pytest tests/frameworks --framework NAME`. Nothing may be skipped here."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

from custom_model_runner import plugins

from .table import file_of

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "a name of plugins.FRAMEWORKS: its artifacts and the files named after it are tested"
    parser.addoption("--framework", choices=list(plugins.FRAMEWORKS), help=words)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files named after another framework: its library must not be imported beside the chosen one."""
    chosen = config.getoption("--framework", None)
    others = {f"test_{file_of(line)}" for framework, line in plugins.FRAMEWORKS.items() if framework != chosen}
    return True if chosen and collection_path.stem in others else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _without_skip((yield))


def _without_skip(report: Report) -> Report:
    """Turn a skip, or a failure that was expected, into a failure: what is not tried is not known to work."""
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Nothing may be skipped here: {report.longrepr}"
        report.__dict__.pop("wasxfail", None)
    return report
