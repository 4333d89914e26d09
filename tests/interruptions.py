"""Batches that are killed at any point of their run, and what the run that goes on with them does again.

A point is an operation on files beside the output, or of the hook, by any process of the run: they are counted by an
audit hook, which Python runs before each, and which the tested code knows nothing of.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pandas as pd
import psutil

TARGETS = ("parent", "worker", "both")
# The operations are counted by the length of a file, since several processes have them.
COUNTING = """
    import os, signal, sys

    ROOT, COUNT = os.environ["KILL_ROOT"], os.environ["KILL_COUNT"]
    AT, TARGET = int(os.environ["KILL_AT"]), os.environ["KILL_TARGET"]
    FIRST = os.getpid()
    EVENTS = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}

    def workers():
        parents = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass
        return [process for process, parent in parents.items() if parent == FIRST]

    def kill():
        chosen = [FIRST] if TARGET == "parent" else workers() or [FIRST]
        chosen = chosen[:1] if TARGET == "worker" and os.getpid() == FIRST else chosen
        if TARGET == "worker" and os.getpid() != FIRST:
            chosen = [os.getpid()]
        if TARGET == "both":
            chosen = [*workers(), FIRST]
        # This one last, if it is among them.
        for process in sorted(chosen, key=lambda one: one == os.getpid()):
            os.kill(process, signal.SIGKILL)

    def count(event, args):
        if event not in EVENTS or not any(str(arg).startswith(ROOT) for arg in args):
            return
        descriptor = os.open(COUNT, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, b".")
        # The place behind what was written, whoever else writes.
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.close(descriptor)
        if place == AT:
            kill()

    sys.addaudithook(count)
"""
# Tells when a block is begun and when it is done; the sum keeps a processor busy for a while.
HOOKS = """
    import os, pathlib
    import pandas as pd

    SEEN = str(pathlib.Path(__file__).parent.with_name("beside") / "seen")

    def tell(word, row):
        descriptor = os.open(SEEN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, b"%b %d\\n" % (word, row))
        os.close(descriptor)

    def score(data, model, **kwargs):
        tell(b"begun", data["row"].iloc[0])
        made = pd.DataFrame({"Predictions": data["a"] * data["b"] / 3, "name": data["name"]})
        tell(b"done", data["row"].iloc[0])
        return made
"""
METADATA = "name: x\ntype: inference\ntargetType: regression\nrunner:\n  forkSafe: true\n"


@dataclass(frozen=True)
class Point:
    """Where a run is killed: at an operation by its number, or after some seconds; and who of it."""

    target: str
    operation: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        where = f"operation {self.operation}" if self.operation else f"{self.seconds:.2f} s"
        return f"{self.target} at {where}"


@dataclass(frozen=True)
class Outcome:
    """What came of a run that was killed: how it ended, and how many blocks the next one began and finished again."""

    point: Point
    exit_code: int
    was_complete: bool
    is_same: bool
    begun_again: int
    done_again: int

    def __str__(self) -> str:
        end = "complete and cleared up before" if self.was_complete else "interrupted"
        again = f"{self.begun_again} blocks again, {self.done_again} of them after the hook had returned"
        return f"{self.point}: exit code {self.exit_code}, {end}; {'same' if self.is_same else 'OTHER'} bytes; {again}"


@dataclass(frozen=True)
class Batch:
    """A batch in a folder of its own."""

    root: Path
    suffix: str
    workers: int
    blocks: int
    rows: int

    @property
    def beside(self) -> Path:
        """Where everything is that changes while it runs."""
        return self.root / "beside"

    @property
    def output(self) -> Path:
        """The output."""
        return self.beside / f"out{self.suffix}"

    def prepare(self, *, is_shared: bool) -> None:
        """Write code, input, and what counts."""
        count, files = self.blocks * self.rows, {"code/custom.py": HOOKS, "counting/sitecustomize.py": COUNTING}
        for name, text in {**files, **({"code/model-metadata.yaml": METADATA} if is_shared else {})}.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(dedent(text))
        self.beside.mkdir()
        frame = pd.DataFrame({"row": range(count), "a": [0.1 * n for n in range(count)], "b": 7, "name": "x,y"})
        source = self.root / f"in{self.suffix}"
        frame.to_parquet(source) if self.suffix == ".parquet" else frame.to_csv(source, index=False)

    def start(self, *words: str, at: int = 0, target: str = "") -> subprocess.Popen[bytes]:
        """Start it anew or again; it kills itself at an operation."""
        command = [sys.executable, "-m", "custom_model_runner", "score", "-cd", str(self.root / "code")]
        command += ["--input", str(self.root / f"in{self.suffix}"), "--output", str(self.output)]
        command += ["--target-type", "regression", "--batch-rows", str(self.rows), "--workers", str(self.workers)]
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.root / "counting"),
            "KILL_ROOT": str(self.beside),
            "KILL_COUNT": str(self.root / "count"),
            "KILL_AT": str(at),
            "KILL_TARGET": target,
        }
        return subprocess.Popen([*command, *words], env=variables, stderr=subprocess.PIPE)

    def clear(self) -> None:
        """Forget earlier runs."""
        for path in [
            *self.beside.glob("*.partial/*"),
            *self.beside.glob("*.*"),
            self.beside / "seen",
            self.root / "count",
        ]:
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)

    def seen(self, word: str) -> list[int]:
        """Return the first rows of the blocks of which the hook has told so."""
        path = self.beside / "seen"
        lines = path.read_text().splitlines() if path.exists() else []
        return [int(line.split()[1]) for line in lines if line.startswith(word)]

    def digest(self) -> str:
        """Return the SHA-256 of the output."""
        return hashlib.sha256(self.output.read_bytes()).hexdigest()

    def uninterrupted(self) -> tuple[str, int, float]:
        """Run it to its end, and return digest, operations and seconds."""
        begin = time.perf_counter()
        assert finish(self.start()) == (0, b"")
        found = self.digest(), (self.root / "count").stat().st_size, time.perf_counter() - begin
        self.clear()
        return found

    def killed(self, point: Point, digest: str) -> Outcome:
        """Kill it at a point, go on with it, and tell what came of that."""
        process = self.start(at=point.operation, target=point.target)
        if point.seconds:
            time.sleep(point.seconds)
            _kill(psutil.Process(process.pid), point.target)
        exit_code, _ = finish(process)
        was_complete = self.output.exists() and not (self.beside / f"{self.output.name}.partial" / "journal").exists()
        assert was_complete or not self.output.exists() or self.digest() == digest
        begun, done = set(self.seen("begun")), set(self.seen("done"))
        (self.beside / "seen").unlink(missing_ok=True)
        assert finish(self.start("--resume"))[0] == 0
        begun_again, done_again = begun & set(self.seen("begun")), done & set(self.seen("begun"))
        left = {path.name for path in self.beside.iterdir()} - {"seen", self.output.name}
        is_same = self.digest() == digest and not left
        self.clear()
        return Outcome(point, exit_code, was_complete, is_same, len(begun_again), len(done_again))


def finish(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Wait for a run, and return its exit code and what it has told, once all that it started is gone."""
    children = []
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
    told = process.communicate(timeout=120)[1]
    assert psutil.wait_procs(children, timeout=60)[1] == []
    return process.returncode, told


def _kill(parent: psutil.Process, target: str) -> None:
    try:
        children = parent.children()
        if target == "worker" and children:
            children[0].kill()
            return
        for process in [*children, parent] if target == "both" else [parent]:
            process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def points(seed: int, count: int, *, workers: int, operations: int, seconds: float) -> Iterator[Point]:
    """Draw points over a whole run: three in four by operation, the others by time."""
    drawn = random.Random(seed)
    for number in range(count):
        target = "parent" if workers == 1 else drawn.choice(TARGETS)
        if number % 4 == 3:
            yield Point(target, seconds=drawn.uniform(0.0, seconds))
        else:
            yield Point(target, operation=drawn.randint(1, operations))
