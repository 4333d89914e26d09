"""`drum` commands in new processes that start quickly: forked from one that has imported the libraries."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS = 120
# Takes an order on each line and answers with an exit code; what it forks becomes the command.
SOURCE = """
import json, os, signal, sys
import custom_model_runner.commands.score
import sklearn.linear_model
from custom_model_runner.cli import main

orders, answers = os.fdopen(int(sys.argv[1])), os.fdopen(int(sys.argv[2]), "w")
for line in orders:
    order = json.loads(line)
    child = os.fork()
    if child == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=answers, flush=True)
else:
    raise SystemExit
for file in (orders, answers):
    file.close()
signal.alarm(order["seconds"])
for descriptor, path in enumerate(order["files"]):
    os.dup2(os.open(path, os.O_WRONLY if descriptor else os.O_RDONLY), descriptor)
os.environ.clear()
os.environ.update(order["env"])
sys.argv = ["drum", *order["words"]]
raise SystemExit(main())
"""

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@contextmanager
def commands(environment: Callable[[Mapping[str, str] | None], dict[str, str]]) -> Iterator[Run]:
    """Give a function that runs a command to its end, with the variables that another makes of those it is given."""
    (theirs, orders), (answers, ours) = os.pipe(), os.pipe()
    with (
        os.fdopen(orders, "w") as ask,
        os.fdopen(answers) as hear,
        TemporaryDirectory() as place,
        subprocess.Popen(
            [sys.executable, "-c", SOURCE, str(theirs), str(ours)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(theirs, ours),
            env=environment(None),
            start_new_session=True,
        ) as process,
    ):
        os.close(theirs)
        os.close(ours)
        turn = threading.Lock()
        files = [Path(place) / name for name in ("stdin", "stdout", "stderr")]

        def run(
            *words: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None
        ) -> subprocess.CompletedProcess[bytes]:
            arguments = list(map(str, words))
            with turn:
                for file, content in zip(files, (stdin, b"", b""), strict=True):
                    file.write_bytes(content)
                order = {"words": arguments, "env": environment(env), "files": list(map(str, files))}
                print(json.dumps({**order, "seconds": SECONDS}), file=ask, flush=True)
                exit_code = int(hear.readline())
                return subprocess.CompletedProcess(arguments, exit_code, files[1].read_bytes(), files[2].read_bytes())

        try:
            yield run
        finally:
            os.killpg(process.pid, signal.SIGKILL)
