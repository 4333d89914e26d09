"""Workers of a batch: whatever fails in one is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest

from custom_model_runner.batch import pool, segments, worker
from custom_model_runner.batch.blocks import Block
from custom_model_runner.batch.flow import Way
from custom_model_runner.batch.segments import Segment
from custom_model_runner.batch.worker import Work
from custom_model_runner.data import tables
from custom_model_runner.errors import RunnerError
from custom_model_runner.predictor import Predictor

from ..folders import plant
from .runs import score

# Of twenty rows by three; the first block is done before the last one is begun.
LAST, LAST_ROWS = 6, 2


def ending(end: Callable[[], Any]) -> Work:
    """Return the work of workers that do something when they are dismissed."""

    @contextmanager
    def opened(number: int) -> Iterator[Predictor]:
        yield cast("Predictor", None)
        if number == 0:
            end()

    return Work(opened, lambda _: True, segments.form(tables.CSV, None), Way())


def lose() -> NoReturn:
    raise RunnerError("The reports are lost")


@pytest.mark.parametrize(
    ("end", "told"), [(lose, "The reports are lost"), (lambda: os._exit(3), "ended by itself with exit code 3")]
)
def test_what_fails_when_all_blocks_are_done_is_told(end: Callable[[], Any], told: str) -> None:
    with pytest.raises(RunnerError, match=told), pool.opened(ending(end), 2):
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a hook, beside a file of twenty rows."""
    (tmp_path / "in.csv").write_text("a\n" + "".join(f"{row}\n" for row in range(20)))
    hook = """
        import pandas as pd

        def score(data, model, **kwargs):
            return pd.DataFrame({"Predictions": data["a"] / 3})
    """
    return plant(tmp_path / "code", {"custom.py": hook})


def test_what_cannot_be_sent_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Segment.to_bytes

    def to_bytes(segment: Segment) -> bytes:
        if segment.rows == LAST_ROWS:
            raise RuntimeError("too much")
        return given(segment)

    monkeypatch.setattr(Segment, "to_bytes", to_bytes)
    with pytest.raises(RunnerError, match=r"^too much$"):
        score(folder, folder.parent / "in.csv", workers=2, batch_rows=3)


class Stop(BaseException):
    """Ends a worker between blocks."""


def test_what_ends_a_worker_by_no_fault_of_a_block_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = worker._segment

    def stopping(work: Work, predictor: Predictor, blocks: Any, block: Block) -> Segment:
        if block.number == LAST:
            raise Stop("out of order")
        return given(work, predictor, blocks, block)

    monkeypatch.setattr(worker, "_segment", stopping)
    with pytest.raises(RunnerError, match=r"^out of order$"):
        score(folder, folder.parent / "in.csv", workers=2, batch_rows=3)
