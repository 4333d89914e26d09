"""What one unit test must not leave to the next."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A machine that is busy with other things is no failure.
settings.register_profile("patient", deadline=None)
# For --hypothesis-profile.
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    """Put back what the runner sets once per process: its logger, and what signals do."""
    logger = logging.getLogger("drum")
    handlers, level, propagate = logger.handlers[:], logger.level, logger.propagate
    on_sigterm = signal.getsignal(signal.SIGTERM)
    # A shell lets its background jobs ignore SIGINT, and the tests may be one of them.
    on_sigint = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate
    signal.signal(signal.SIGTERM, on_sigterm)
    signal.signal(signal.SIGINT, on_sigint)


@pytest.fixture(autouse=True)
def _import_system_as_before() -> Iterator[None]:
    """Fail a test whose code directory stays importable after it was closed."""
    path, finders = sys.path[:], _own_finders()
    yield
    assert sys.path == path
    assert _own_finders() == finders


def _own_finders() -> list[object]:
    """Return those that the runner has added; libraries may add theirs when they are imported."""
    return [finder for finder in sys.meta_path if type(finder).__module__.startswith("custom_model_runner")]
