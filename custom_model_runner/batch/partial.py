"""What a run keeps beside its output until that is complete: a folder that a later run can go on from."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from custom_model_runner import logs
from custom_model_runner.batch import identity, sinks
from custom_model_runner.batch.identity import Identity
from custom_model_runner.batch.rest import InBlock, comes_again
from custom_model_runner.batch.store import Kept, Store
from custom_model_runner.errors import RunnerError, UsageError

JOURNAL, LOCK, OUTPUT = "journal", "lock", "output"
OURS = re.compile(rf"({JOURNAL}|{OUTPUT}|\d+\.segment)(\.new)?|{LOCK}")
# In which order files are removed in the end.
LAST = {JOURNAL: 1, LOCK: 2}
# What is written to a journal so; another version of the runner may write it otherwise.
FORM = 2
TAKEN = frozenset({errno.EACCES, errno.EAGAIN})
Settle = Callable[[], Identity]


@dataclass(frozen=True)
class Journal:
    """What a run was begun with, and what it knows of its input: types, rows, and how the files are cut.

    `complete` is the state of the output, and its rows, once it is there and nothing is left but to clear up.
    """

    identity: Identity
    blocks: Mapping[str, Any]
    complete: Mapping[str, int] | None = None

    def write(self, folder: Path) -> None:
        """Write it into a folder, in place of another; it survives a loss of power."""
        data = json.dumps({"form": FORM, **vars(self)}, indent=1).encode()
        sinks.place(folder / JOURNAL, data, is_synced=True)


@dataclass
class Partial:
    """The folder of a run, which is this process's as long as it lives; `journal` is that of a run to go on with.

    `settle` tells what this run is begun with, and is None if it cannot be gone on with. `complete_rows` tells how many
    rows were predicted if that run was complete. Until it `is_begun`, what is there may be another run's.
    """

    output: Path
    folder: Path
    settle: Settle | None
    journal: Journal | None = None
    complete_rows: int | None = None
    is_begun: bool = False

    @property
    def is_its_own(self) -> bool:
        """Say whether what is in the folder is of this run."""
        return self.is_begun or self.journal is not None

    @property
    def store(self) -> Store:
        """The segments."""
        return Store(self.folder)

    def begin(self, blocks: Mapping[str, Any]) -> dict[int, Kept]:
        """Return the segments to go on with; a run that begins anew throws away what is there, and says what it is."""
        if self.journal is not None:
            # Whose rows may be rejected from now on.
            with sinks.told(self.folder):
                self.journal.write(self.folder)
            return self.store.kept(verifies=True)
        settled = None if self.settle is None else self.settle()
        if not self.is_begun:
            _tell_loss(self.folder, settled)
        self.is_begun = True
        with sinks.told(self.folder):
            _empty(self.folder)
            if settled is not None:
                Journal(settled, blocks).write(self.folder)
        return {}

    @contextmanager
    def replacing(self) -> Iterator[BinaryIO]:
        """Give what is to be written to, and becomes the output when all went well."""
        with sinks.replacing(self.output, self.folder / OUTPUT) as file:
            yield file


@contextmanager
def opened(output: Path, settle: Settle | None, *, resumes: bool) -> Iterator[Partial]:
    """Make the folder beside an output, or take it up, for this process alone; in the end it is removed.

    After a failure what there is to go on with stays, and is told if it is this run's.
    """
    target = output.resolve()
    partial = Partial(output, target.with_name(f"{target.name}.partial"), settle)
    with sinks.told(output):
        lock = _locked(partial.folder)
    try:
        begun = _begun(partial, resumes=resumes)
        try:
            yield begun
        except BaseException as error:
            _leave(begun, error)
            raise
        _clear_up(begun)
    finally:
        os.close(lock)


def _locked(folder: Path) -> int:
    """Return the descriptor of a lock that ends with this process, even if children of it live on."""
    while True:
        # It holds predictions and rows of an input, which may not be for others.
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if os.path.lexists(folder) and not folder.is_dir():
            raise UsageError(f"--output: {str(folder)!r} is a file, expected nothing, or the folder of an earlier run")
        # Whoever has just ended may take it away at any time.
        with suppress(FileNotFoundError):
            _check_names(folder)
            descriptor = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR, 0o666)
            with ExitStack() as undone:
                undone.callback(os.close, descriptor)
                _take(descriptor, folder)
                if os.path.samestat(os.fstat(descriptor), os.stat(folder / LOCK)):
                    undone.pop_all()
                    return descriptor


def _check_names(folder: Path) -> None:
    odd = next((path.name for path in folder.iterdir() if not OURS.fullmatch(path.name)), None)
    if odd is not None:
        raise UsageError(f"--output: {str(folder)!r} holds {odd!r}, expected nothing but what a run keeps there")


def _take(descriptor: int, folder: Path) -> None:
    """Take the lock; if it is another's, that is an error."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            raise RunnerError(f"--output: another run is writing it, and holds {str(folder)!r}") from error
        # There are file systems without locks.


def _begun(partial: Partial, *, resumes: bool) -> Partial:
    """Return the folder with the journal to go on with, if that is wanted, and tell what is gone on with."""
    if not resumes:
        return partial
    journal = _journal(partial.folder)
    if journal is None:
        logs.notice(f"there is nothing to resume in {partial.folder.name!r}: the run begins with the first row")
        return partial
    settled = {} if partial.settle is None else partial.settle()
    identity.check(settled, journal.identity, partial.folder.name)
    is_same = settled == journal.identity
    if (
        is_same
        and journal.complete is not None
        and journal.complete == _state(partial.output, journal.complete["rows"])
    ):
        logs.notice(f"{str(partial.output)!r} is complete already")
        return replace(partial, complete_rows=journal.complete["rows"])
    logs.notice(f"going on from the {_rows(partial.folder)} rows in {partial.folder.name!r}")
    return replace(partial, journal=replace(journal, identity=settled, complete=None))


def _journal(folder: Path) -> Journal | None:
    """Return the journal in a folder, None if there is none that this version understands."""
    try:
        facts = json.loads((folder / JOURNAL).read_bytes())
        return Journal(**facts) if facts.pop("form") == FORM else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _rows(folder: Path) -> int:
    """Return how many rows of a run are there that can be gone on with."""
    return 0 if _journal(folder) is None else sum(kept.rows for kept in Store(folder).kept().values())


def _tell_loss(folder: Path, settled: Identity | None) -> None:
    """Tell how many rows of an earlier run go, and whether they could have been gone on with."""
    rows, journal = _rows(folder), _journal(folder)
    if rows and journal is not None and journal.complete is None:
        whose = "an earlier run" if journal.identity == settled else "another run"
        remedy = "; --resume would have kept them" if journal.identity == settled else ""
        logs.notice(f"{rows} rows of {whose} in {folder.name!r} are thrown away{remedy}")


def _leave(partial: Partial, error: BaseException) -> None:
    """Leave what there is to go on with, and say so if it is of this run."""
    rows = _rows(partial.folder)
    if not rows or (partial.is_its_own and comes_again(error)):
        _remove(partial.folder)
    elif partial.is_its_own:
        name, journal = str(partial.folder), _journal(partial.folder)
        may_skip = isinstance(error, InBlock) and journal is not None and identity.ends_at_failures(journal.identity)
        more = ", with --on-error skip and --rejects also past rows that fail again" if may_skip else ""
        logs.notice(f"{rows} rows are kept in {name!r}; the same command with --resume goes on from there{more}")


def _clear_up(partial: Partial) -> None:
    """Remove the folder of a run that is complete; that is noted first, in case that this is interrupted."""
    journal = _journal(partial.folder)
    if journal is not None and partial.is_its_own and partial.output.exists():
        with suppress(OSError, RunnerError):
            rows = sum(kept.rows - kept.rejected for kept in partial.store.kept().values())
            replace(journal, complete=_state(partial.output, rows)).write(partial.folder)
    elif partial.complete_rows is None and _rows(partial.folder):
        _tell_loss(partial.folder, None if partial.settle is None else partial.settle())
    _remove(partial.folder)


def _state(output: Path, rows: int) -> dict[str, int] | None:
    """Return what tells an output from another, None if there is none."""
    if not output.exists():
        return None
    found = output.stat()
    return {"size": found.st_size, "changed": found.st_mtime_ns, "rows": rows}


def _empty(folder: Path) -> None:
    """Remove what an earlier run has left, first the journal, without which nothing counts."""
    (folder / JOURNAL).unlink(missing_ok=True)
    sinks.sync_folder(folder)
    for path in folder.iterdir():
        if path.name != LOCK:
            path.unlink()


def _remove(folder: Path) -> None:
    """Remove all there is, last the journal, and the lock as long as there is anything."""
    with suppress(OSError):
        for path in sorted(folder.iterdir(), key=lambda path: LAST.get(path.name, 0)):
            path.unlink()
        folder.rmdir()
