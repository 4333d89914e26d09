"""Start-up rounds: what the command line costs before it does any work, next to a bare Python."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.processes import finish, started
from benchmarks.samples import Sample

BARE = "python -c pass"
COMMANDS = (("--help",), ("--version",), ("score", "--help"))
MOST_SECONDS = 60.0


def command_lines(drums: Mapping[str, Path]) -> dict[str, list[str]]:
    """Return what is measured, by the name it has in the table."""
    lines = {BARE: [sys.executable, "-c", "pass"]}
    for name, executable in drums.items():
        lines.update({" ".join((name, *words)): [str(executable), *words] for words in COMMANDS})
    return lines


def measure(lines: Mapping[str, Sequence[str]], *, log: Path, round_number: int) -> Iterator[Sample]:
    """Yield one round: each command once."""
    for name, command in lines.items():
        begin = time.perf_counter()
        with started(command, log=log) as process:
            finish(process, most_seconds=MOST_SECONDS, log=log)
        yield Sample("command line", "start to end", name, round_number, {"wall_seconds": time.perf_counter() - begin})
