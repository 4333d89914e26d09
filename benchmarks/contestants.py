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

Serve = Callable[[BenchModel, int], list[str]]
Score = Callable[[BenchModel, Path, Path], list[str]]


@dataclass(frozen=True)
class Contestant:
    """A name, the command line of a server on a port, and the one of a batch run."""

    name: str
    serve: Serve
    score: Score


def lineup(drums: Mapping[str, Path], *, workers: int = 1) -> dict[str, Contestant]:
    """Return the contestants by name, in the order of a round: ours, then each `drum`; `workers` are of each server."""
    everyone = [
        Contestant("floor", _wsgi("benchmarks.floor", workers, *ONE_THREAD), _script("benchmarks.floor")),
        Contestant("reference", _wsgi("benchmarks.reference", workers), _script("benchmarks.reference")),
        *(Contestant(name, _drum_server(drum, workers), _drum_score(drum)) for name, drum in drums.items()),
    ]
    return {contestant.name: contestant for contestant in everyone}


def _wsgi(module: str, workers: int, *prefix: str) -> Serve:
    def serve(model: BenchModel, port: int) -> list[str]:
        how = ("--workers", str(workers), "--bind", f"127.0.0.1:{port}")
        return [*prefix, *GUNICORN, *how, f"{module}:create({str(model.artifact)!r})"]

    return serve


def _script(module: str) -> Score:
    def score(model: BenchModel, source: Path, target: Path) -> list[str]:
        return [sys.executable, "-m", module, str(model.artifact), str(source), str(target)]

    return score


def _drum_server(drum: Path, workers: int) -> Serve:
    def serve(model: BenchModel, port: int) -> list[str]:
        how = ("--address", f"127.0.0.1:{port}", "--max-workers", str(workers))
        return [str(drum), "server", "--code-dir", str(model.folder), *how, *model.options]

    return serve


def _drum_score(drum: Path) -> Score:
    def score(model: BenchModel, source: Path, target: Path) -> list[str]:
        files = ("--input", str(source), "--output", str(target))
        return [str(drum), "score", "--code-dir", str(model.folder), *files, *model.options]

    return score
