"""A worker process of a batch: it is given blocks, and gives back segments."""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import NoReturn

from custom_model_runner import processes
from custom_model_runner.batch import flow, wire
from custom_model_runner.batch.blocks import Block, Blocks
from custom_model_runner.batch.flow import Way
from custom_model_runner.batch.rest import OfRows
from custom_model_runner.batch.segments import Form, Segment
from custom_model_runner.batch.store import Store
from custom_model_runner.batch.wire import Kind, Message
from custom_model_runner.errors import EXIT_FAILURE, EXIT_OK, InputError, RunnerError
from custom_model_runner.predictor import Predictor

# Opens the model in the worker of a number, or hands out what was loaded before the fork.
Open = Callable[[int], AbstractContextManager[Predictor]]


@dataclass(frozen=True)
class Work:
    """What every worker needs: a model, whether it can be given blocks, how these are predicted and encoded.

    With a store, segments are kept there, before the next block is begun, and only their rows are told.
    """

    open: Open
    takes_blocks: Callable[[Predictor], bool]
    form: Form
    way: Way
    store: Store | None = None


def start(work: Work, number: int, connection: socket.socket, parent: int) -> NoReturn:
    """Serve one connection until its other side has gone, and end this process, which was just forked."""
    code = EXIT_FAILURE
    try:
        _settle_in(parent)
        _serve(work, number, connection)
        code = EXIT_OK
    except BaseException as error:  # what ends a worker must not run on as its parent
        _fail(connection, error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _settle_in(parent: int) -> None:
    processes.end_with_parent(parent)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A terminal sends them to all; the parent decides.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The input is the parent's.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def _serve(work: Work, number: int, connection: socket.socket) -> None:
    with work.open(number) as predictor:
        wire.send(connection, Message.of(Kind.READY, work.takes_blocks(predictor)))
        begin = wire.receive(connection)
        if begin is None:
            return
        blocks = Blocks(**begin.facts(), rows=None, read=lambda _: iter(()))
        while (message := wire.receive(connection)) is not None:
            try:
                segment = _segment(work, predictor, blocks, message.block())
                wire.send(connection, Message(Kind.SEGMENT, segment.to_bytes(), message.number))
            except Exception as error:
                _fail(connection, error, number=message.number)


def _segment(work: Work, predictor: Predictor, blocks: Blocks, block: Block) -> Segment:
    """Return the segment of a block; if it was kept, no more of it than its head, or without that what was rejected."""
    payload = flow.read(predictor, blocks, block)
    segment = flow.made_of(predictor, payload, work.way).segment(work.form)
    if work.store is None:
        return segment
    work.store.add(block, segment)
    return replace(segment, body=b"", rejects=b"" if segment.head else segment.rejects)


def _fail(connection: socket.socket, error: BaseException, *, number: int = wire.NO_BLOCK) -> None:
    """Tell a failure; the text of what is not expected is that of its class, as everywhere."""
    facts = {
        "pieces": error.args if isinstance(error, RunnerError) else [str(error) or type(error).__name__],
        "exit_code": getattr(error, "exit_code", EXIT_FAILURE),
        "trace": "".join(traceback.format_exception(error)),
        "rows": [error.rows, error.before, error.comes_again] if isinstance(error, OfRows) else None,
        "is_memory": isinstance(error, MemoryError),
        "is_broken": type(error) is InputError,
    }
    try:
        wire.send(connection, Message.of(Kind.FAILURE, facts, number=number))
    except OSError:
        # Nobody is there to be told.
        return
