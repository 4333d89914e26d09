"""What of an input is still to be predicted."""

from __future__ import annotations

import tracemalloc

from custom_model_runner.batch import heads
from custom_model_runner.batch.blocks import Block, Blocks, Place
from custom_model_runner.batch.rest import OfRows, Rest
from custom_model_runner.batch.store import Kept
from custom_model_runner.errors import RunnerError


def block(number: int, *, files: int = 0) -> Block:
    """Return an empty block of a file."""
    return Block(number, b"", behind=Place(number + 1, files))


def rest(before: dict[int, Kept]) -> Rest:
    """Return what is left of an input of ten blocks."""
    blocks = Blocks("text/csv", None, 0, None, lambda place: (block(number) for number in range(place.number, 10)))
    return Rest(blocks, "'in.csv'", before, heads.in_text)


def test_what_it_takes_does_not_grow_with_the_blocks_that_are_done() -> None:
    found = rest({})
    tracemalloc.start()
    for number in range(10_000):
        found.take(block(number), 2)
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert (found.count, found.rows, taken < 10_000) == (10_000, 20_000, True)


def test_blocks_that_were_done_before_are_left_out_and_counted() -> None:
    found = rest({number: Kept(2, Place(number + 1), rejected=1) for number in (0, 1, 4)})
    every = list(found.read())
    assert [one.number for one in every] == [2, 3, 5, 6, 7, 8, 9]
    for one in every:
        found.take(one, 2)
    assert (found.count, found.rows, found.rejected) == (10, 20, 3)


def test_a_failure_names_the_rows_of_its_file() -> None:
    found = rest({0: Kept(2, Place(1)), 2: Kept(3, Place(3, 1)), 9: Kept(3, Place(10, 1))})
    found.take(block(1), 2)
    found.take(block(3, files=1), 4)
    failure = found.failure(block(4, files=1), OfRows(2, RunnerError("why")))
    assert str(failure) == "Rows 8 to 9 of 'in.csv': why"
