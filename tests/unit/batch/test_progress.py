"""The line that tells how far a batch is."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
import threading

import pytest

from custom_model_runner.batch import progress
from custom_model_runner.batch.tally import LOAD, LOOK, PREDICT, Tally
from custom_model_runner.data.stages import Stages


def tally_at(*stages: str, **counted: int) -> Tally:
    """Return a tally in which each stage has taken a second."""
    clock = iter(range(10))
    tally = Tally(**counted, stages=Stages(lambda: float(next(clock))))
    for name in stages:
        tally.stages.end(name)
    return tally


@pytest.mark.parametrize(
    ("stages", "counted", "told"),
    [
        ([LOAD], {}, "drum: looking at the input, 0 MiB"),
        ([LOAD, LOOK], {"total": 10}, "drum: 0 of 10 rows, 0%, 0.0 rows/s, 0 MiB"),
        ([LOAD, LOOK], {"rows": 5000}, "drum: 5,000 rows, 1,000 rows/s, 0 MiB"),
        ([LOAD, LOOK], {"rows": 50, "total": 700}, "drum: 50 of 700 rows, 7%, 10 rows/s, 1:05 left, 0 MiB"),
        (
            [LOAD, LOOK],
            {"rows": 123_456, "text_bytes": 9999, "done_bytes": 1000},
            "drum: 123,456 of ~1,230,000 rows, 10%, 24,691 rows/s, 0:45 left, 0 MiB",
        ),
        (
            [LOAD, LOOK],
            {"rows": 1004, "text_bytes": 10, "done_bytes": 10},
            "drum: 1,004 of ~1,000 rows, 100%, 201 rows/s, 0:00 left, 0 MiB",
        ),
        ([LOAD, LOOK], {"text_bytes": 10}, "drum: 0 rows, 0.0 rows/s, 0 MiB"),
        (
            [LOAD, LOOK],
            {"rows": 1, "total": 801, "memory": 3 << 20},
            "drum: 1 of 801 rows, 0%, 0.2 rows/s, 1:06:40 left, 3 MiB",
        ),
        (
            [LOAD, LOOK],
            {"rows": 50, "resumed_rows": 50, "total": 700},
            "drum: 100 of 700 rows, 14%, 10 rows/s, 1:00 left, 0 MiB",
        ),
        ([LOAD, LOOK, PREDICT], {"rows": 10, "total": 10}, "drum: writing the output, 0 MiB"),
    ],
)
def test_the_line_tells_rows_speed_time_and_memory(stages: list[str], counted: dict[str, int], told: str) -> None:
    assert progress.text(tally_at(*stages, **counted), 7.0 if stages != [LOAD] else 2.0) == told


def test_a_shorter_text_leaves_nothing_of_a_longer_one() -> None:
    stream = io.StringIO()
    line = progress.Line(stream)
    for text in ("12345", "12", ""):
        line.show(text)
    assert stream.getvalue() == "\r12345" + "\r12   " + "\r  \r"


def test_a_text_is_cut_at_the_width_of_the_terminal() -> None:
    master, slave = pty.openpty()
    with open(slave, "w", encoding="utf-8") as terminal:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        progress.Line(terminal).show("x" * 100)
        assert os.read(master, 1000) == b"\r" + b"x" * 59
    os.close(master)


def test_a_terminal_that_has_gone_does_not_end_the_run() -> None:
    stream = io.StringIO()
    stream.close()
    progress.Line(stream).show("x")


def test_memory_is_noted_and_nobody_watches_any_more_in_the_end() -> None:
    shown: list[str] = []
    tally, before = tally_at(LOAD), threading.active_count()
    with progress.watching(tally, shown.append):
        assert threading.active_count() == before + 1
    assert (threading.active_count(), shown[0][:26], shown[-1]) == (before, "drum: looking at the input", "")
    assert tally.peak_memory >= tally.memory > 1 << 20
