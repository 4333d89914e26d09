"""Types that a part of an input has told, and failures that may be due to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from custom_model_runner.batch.blocks import Blocks, Whole
from custom_model_runner.batch.rest import InBlock, InFile
from custom_model_runner.batch.sources import Unreadable
from custom_model_runner.batch.steady import Changed
from custom_model_runner.errors import InputError, RunnerError

BEGINS_ANEW = "the types of the first and last rows are not those of all: the input begins anew"


class Unconfirmed(RunnerError):
    """A failure of rows whose types were only expected: they may be why."""

    def __init__(self, types: Mapping[str, str] | None, failure: RunnerError) -> None:
        super().__init__(str(failure))
        self.types = types
        self.failure = failure


@contextmanager
def doubted(blocks: Blocks) -> Iterator[None]:
    """Have a failure of rows whose types are only expected leave that open."""
    try:
        yield
    except (InBlock, InFile, InputError) as error:
        if not blocks.is_expected or isinstance(error, (Changed, Unreadable)):
            raise
        raise Unconfirmed(blocks.types, error) from error


def confirmed(blocks: Blocks, look: Callable[[], Blocks | Whole]) -> Blocks:
    """Return blocks whose types are those that a look finds: nobody asks why rows fail that are rejected."""
    if not blocks.is_expected:
        return blocks
    found = look()
    if not isinstance(found, Blocks) or found.types != blocks.types:
        raise Unconfirmed(blocks.types, RunnerError(BEGINS_ANEW))
    return replace(blocks, rows=found.rows, is_expected=False)
