"""Who takes part: each contestant is one line that says how it serves and how it scores."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.models import BenchModel

GUNICORN = (sys.executable, "-m", "gunicorn", "--worker-class", "sync", "--no-control-socket")

# Threads of OpenMP that wait for a core which the client holds make a server slow and its figures wild.
ONE_THREAD = ("env", "OMP_NUM_THREADS=1")
TWO_WORKERS = "drum, 2 workers"

# A model, the port, and how many workers serve it there.
Serve = Callable[[BenchModel, int, int], list[str]]
# A model, the input and the output.
Score = Callable[[BenchModel, Path, Path], list[str]]


@dataclass(frozen=True)
class Contestant:
    """A name, the command line of a server, and the one of a batch run."""

    name: str
    serve: Serve
    score: Score


def lineup(drums: Mapping[str, Path]) -> dict[str, Contestant]:
    """Return the contestants by name, in the order of a round: ours, then each `drum`."""
    everyone = [
        Contestant("floor", _wsgi("benchmarks.floor", *ONE_THREAD), _script("benchmarks.floor")),
        Contestant("reference", _wsgi("benchmarks.reference"), _script("benchmarks.reference")),
        *(Contestant(name, _drum_server(drum), _drum_score(drum)) for name, drum in drums.items()),
    ]
    return {contestant.name: contestant for contestant in everyone}


def with_two_workers(drum: Path) -> Contestant:
    """Return a `drum` that spreads its batches over two processes."""
    return Contestant(TWO_WORKERS, _drum_server(drum), _drum_score(drum, "--workers", "2"))


def _wsgi(module: str, *prefix: str) -> Serve:
    def serve(model: BenchModel, port: int, workers: int) -> list[str]:
        how = ("--workers", str(workers), "--bind", f"127.0.0.1:{port}")
        return [*prefix, *GUNICORN, *how, f"{module}:create({str(model.artifact)!r})"]

    return serve


def _script(module: str) -> Score:
    def score(model: BenchModel, source: Path, target: Path) -> list[str]:
        return [sys.executable, "-m", module, str(model.artifact), str(source), str(target)]

    return score


def _drum_server(drum: Path) -> Serve:
    def serve(model: BenchModel, port: int, workers: int) -> list[str]:
        how = ("--address", f"127.0.0.1:{port}", "--max-workers", str(workers))
        return [str(drum), "server", "--code-dir", str(model.folder), *how, *model.options]

    return serve


def _drum_score(drum: Path, *more: str) -> Score:
    def score(model: BenchModel, source: Path, target: Path) -> list[str]:
        files = ("--input", str(source), "--output", str(target))
        return [str(drum), "score", "--code-dir", str(model.folder), *files, *model.options, *more]

    return score
