"""Files of an input, which must stay as they were when the run began."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from custom_model_runner.addresses import shown
from custom_model_runner.batch.blocks import Block, Place
from custom_model_runner.errors import EXIT_FAILURE, InputError, RunnerError

Read = Callable[[Place], Iterator[Block]]


class Changed(InputError):
    """An input that is not what it was when the run began, or when it was opened."""


@dataclass(frozen=True)
class State:
    """What changes with a file: its bytes, when it was written to, or touched at all, in nanoseconds, its number."""

    size: int
    written: int
    touched: int
    file: tuple[int, int]

    @classmethod
    def of(cls, found: os.stat_result) -> State:
        """Return the state that a file was found in."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, (found.st_dev, found.st_ino))

    def check(self, source: str, found: State | None) -> None:
        """Refuse to go on with a file that is in another state by now, or is not there."""
        if found is None:
            raise changed(source, "it is not there any more")
        if found.size != self.size:
            raise changed(source, f"it has {found.size} bytes, and had {self.size}")
        # Some network file systems number a file anew that stays as it is, and new rights are no new file.
        is_other = found.file != self.file and found.touched != self.touched
        if is_other or found.written != self.written:
            raise changed(source, "it was written to, or replaced")


States = Mapping[str, State]


def changed(source: str, found: str) -> Changed:
    """Return the failure of an input that does not stay as it is."""
    return Changed(
        f"The input {shown(source)!r} was changed while it was read: {found}, expected a file that stays as it is"
    )


def states(names: Iterable[str]) -> States:
    """Return the states of files."""
    return {name: State.of(os.stat(name)) for name in names}


def check(before: States) -> None:
    """Refuse to go on if one of some files has changed; what cannot be told is none."""
    for name, state in before.items():
        try:
            found = State.of(os.stat(name))
        except FileNotFoundError:
            found = None
        except OSError:
            continue
        state.check(name, found)


@contextmanager
def kept(before: States) -> Iterator[None]:
    """Refuse to end well if one of some files has changed; see also `blamed`."""
    with blamed(before):
        yield
    check(before)


@contextmanager
def blamed(before: States) -> Iterator[None]:
    """Have a failure be told as a change of files, if there was one: that may be why."""
    try:
        yield
    except RunnerError as error:
        # A full disk, or a worker that died, is not due to what is in a file.
        if error.exit_code != EXIT_FAILURE:
            check(before)
        raise


def reading(read: Read, before: States) -> Read:
    """Return what yields the same blocks as long as files do not change, and does not end well if they did."""

    def blocks(place: Place) -> Iterator[Block]:
        check(before)
        with kept(before):
            yield from read(place)

    return blocks
