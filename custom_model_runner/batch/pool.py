"""The workers of a batch: forked, given blocks, asked for segments in order; the end of one is told with its reason."""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from custom_model_runner import processes
from custom_model_runner.batch import ahead, flow, wire, worker
from custom_model_runner.batch.blocks import Block
from custom_model_runner.batch.rest import OfRows, Rest
from custom_model_runner.batch.segments import Segment
from custom_model_runner.batch.wire import Kind, Message
from custom_model_runner.batch.worker import Work
from custom_model_runner.errors import InputError, PayloadTooLarge, RunnerError

# A worker has one block in hand and the next one waiting; nobody is further ahead of the slowest than that.
BLOCKS_OF_WORKER = 2
SIGNAL_OF_MEMORY = signal.SIGKILL


class WorkerFailure(RunnerError):
    """What failed in a worker, with its exit code."""

    def __init__(self, pieces: Sequence[str | int], exit_code: int) -> None:
        super().__init__(*pieces)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Member:
    """A worker: its process, and the connection to it."""

    pid: int
    connection: socket.socket


@dataclass(frozen=True)
class Pool:
    """Workers that have a model each; `takes_blocks` says what they have told of it."""

    members: Sequence[Member]
    killed_before: int
    takes_blocks: bool = True

    def segments(self, rest: Rest) -> Generator[tuple[Block, Segment], None, None]:
        """Yield all blocks that are not done, in order, and their segments; failures are raised in order, too."""
        blocks = rest.blocks
        begin = {name: getattr(blocks, name) for name in ("media_type", "types", "limit", "is_expected")}
        for member in self.members:
            self.send(member, Message.of(Kind.BEGIN, begin))
        for block, message in self._answers(ahead.ahead(rest.read())):
            if message.kind is Kind.FAILURE:
                raise _failure(message, block, rest)
            segment = Segment.from_bytes(message.data)
            yield block, segment
            rest.take(block, segment.read)

    def _answers(self, blocks: Iterator[Block]) -> Iterator[tuple[Block, Message]]:
        """Yield all blocks, without their bytes, and the answers to them in order, so many being out at a time."""
        waiting: dict[int, Message] = {}
        owed = dict.fromkeys(self.members, 0)
        out: deque[Block] = deque()
        coming = next(blocks, None)
        with self._selector() as selector:
            while coming is not None or out:
                if coming is not None and len(out) < BLOCKS_OF_WORKER * len(owed) + 1:
                    member = min(owed, key=owed.__getitem__)
                    if owed[member] < BLOCKS_OF_WORKER:
                        self.send(member, Message.of_block(coming))
                        owed[member] += 1
                        out.append(replace(coming, data=b""))
                        coming = next(blocks, None)
                        continue
                for key, _ in selector.select():
                    message = self.receive(key.data)
                    if message.number == wire.NO_BLOCK:
                        raise _told(message)
                    waiting[message.number] = message
                    owed[key.data] -= 1
                while out and out[0].number in waiting:
                    block = out.popleft()
                    yield block, waiting.pop(block.number)

    @contextmanager
    def _selector(self) -> Iterator[selectors.BaseSelector]:
        with selectors.DefaultSelector() as selector:
            for member in self.members:
                selector.register(member.connection, selectors.EVENT_READ, member)
            yield selector

    def send(self, member: Member, message: Message) -> None:
        """Send to a worker; one that has gone is told with its reason."""
        try:
            wire.send(member.connection, message)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise self.death(member) from error

    def receive(self, member: Member) -> Message:
        """Return what a worker says; one that has gone is told with its reason."""
        try:
            message = wire.receive(member.connection)
        except ConnectionResetError:
            message = None
        if message is None:
            raise self.death(member)
        return message

    def death(self, member: Member) -> RunnerError:
        """Return why a worker has gone."""
        return self._reason(member, os.waitstatus_to_exitcode(os.waitpid(member.pid, 0)[1]))

    def end(self, member: Member) -> None:
        """Wait for a worker that has nothing to do any more; what failed in the end is told."""
        try:
            code = os.waitstatus_to_exitcode(os.waitpid(member.pid, 0)[1])
        except ChildProcessError:
            # Nobody is told where SIGCHLD is ignored.
            return
        if code:
            raise _last_words(member) or self._reason(member, code)

    def _reason(self, member: Member, code: int) -> RunnerError:
        if code >= 0:
            return RunnerError(f"Worker process {member.pid} ended by itself with exit code {code}, without a result")
        reason = f"Worker process {member.pid} was ended by {processes.signal_name(-code)}"
        if -code != SIGNAL_OF_MEMORY:
            return RunnerError(reason)
        remedy = "by the system for its memory; fewer --workers and smaller --batch-rows take less"
        if processes.kills_for_memory() > self.killed_before:
            return PayloadTooLarge(f"{reason}, {remedy}")
        return RunnerError(f"{reason}, perhaps {remedy}")


def _failure(message: Message, block: Block, rest: Rest) -> RunnerError:
    """Return what a worker has told of a block, with its traceback as cause."""
    failure, rows = _told(message), message.facts()["rows"]
    if rows is not None:
        count, before, comes_again = rows
        of_rows = OfRows(count, failure, before=before, comes_again=comes_again)
        found: RunnerError = rest.failure(block, of_rows)
        found.__cause__ = failure.__cause__
        return found
    if isinstance(failure, PayloadTooLarge) or block.source is None:
        return failure
    found = flow.in_file(block.source, failure)
    # By which it is known what would come again.
    found.__cause__ = failure
    return found


def _told(message: Message) -> RunnerError:
    facts = message.facts()
    if facts["is_memory"]:
        return PayloadTooLarge("The input needs more memory than there is")
    is_broken = facts["is_broken"]
    failure = InputError(*facts["pieces"]) if is_broken else WorkerFailure(facts["pieces"], facts["exit_code"])
    failure.__cause__ = RuntimeError(facts["trace"])
    return failure


@contextmanager
def opened(work: Work, count: int) -> Iterator[Pool]:
    """Fork workers and wait until each has its model; in the end they go, whatever they are doing if all is lost.

    Call it in the main thread: the workers end with it.
    """
    members: list[Member] = []
    killed_before = processes.kills_for_memory()
    try:
        for _ in range(count):
            members.append(_forked(work, members))
        pool = Pool(members, killed_before)
        takes_blocks = [_ready(pool, member) for member in members]
        yield Pool(members, killed_before, all(takes_blocks))
        _dismiss(pool)
    except BaseException:
        _kill(members)
        raise


def _forked(work: Work, others: Sequence[Member]) -> Member:
    here, there = socket.socketpair()
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        # As long as anybody holds them, nobody sees their end.
        for connection in (here, *(member.connection for member in others)):
            connection.close()
        worker.start(work, len(others), there, parent)
    there.close()
    return Member(pid, here)


def _ready(pool: Pool, member: Member) -> bool:
    message = pool.receive(member)
    if message.kind is Kind.FAILURE:
        raise _told(message)
    return bool(message.facts())


def _dismiss(pool: Pool) -> None:
    """Let workers finish what they do in the end, such as their reports, of which they may tell a failure."""
    for member in pool.members:
        with suppress(OSError):
            member.connection.shutdown(socket.SHUT_WR)
    for member in pool.members:
        with member.connection:
            pool.end(member)


def _last_words(member: Member) -> RunnerError | None:
    """Return the failure that a worker has told before it ended, None if there is none."""
    # What a hook has started may hold the connection open.
    member.connection.setblocking(False)
    try:
        message = wire.receive(member.connection)
    except OSError:
        return None
    return None if message is None or message.kind is not Kind.FAILURE else _told(message)


def _kill(members: Sequence[Member]) -> None:
    for member in members:
        member.connection.close()
        if not _has_ended(member, os.WNOHANG):
            os.kill(member.pid, signal.SIGKILL)
            _has_ended(member)


def _has_ended(member: Member, how: int = 0) -> bool:
    """Say whether a worker has ended; without being told how to look, wait for it."""
    try:
        return os.waitpid(member.pid, how)[0] != 0
    except ChildProcessError:
        # It was noticed before, and the number may be that of another process by now.
        return True
