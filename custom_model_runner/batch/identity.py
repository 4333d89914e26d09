"""What the bytes of an output depend on, as texts by what they tell of, so that a run goes on with the same only."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from custom_model_runner import __version__, options, parameters
from custom_model_runner.artifacts import versions
from custom_model_runner.errors import UsageError
from custom_model_runner.parsers import files_of
from custom_model_runner.plugins import FRAMEWORKS
from custom_model_runner.settings import ModelSettings, ScoreSettings

Identity = Mapping[str, str]
# What is told otherwise, and what does not change results.
NO_MATTER = frozenset({"input", "output", "code_dir"}) | frozenset(
    {"resume", "workers", "max_decoded_bytes", "no_pickle", "show_perf", "summary", "no_progress", "rejects"}
)
LIBRARIES = ("pandas", "numpy", "scipy", "pyarrow")
ABSENT, NONE = "not there", "none"
PARAMETER = "the runtime parameter"
# A run that ended where rows fail may go on past them: it has rejected none so far.
ENDS_AT_FAILURES = ("--on-error", "'stop'")
# Of an input up to this size all is read; of a larger one, so many pieces of the rest.
INPUT_BYTES = 1 << 20
PIECES = 64


def settle(model: ModelSettings, score: ScoreSettings) -> Identity:
    """Return the identity of a run, for which all of the folder is read, and a little of the input."""
    sources = files_of(score.input)
    beside = {Path(name) for name in sources}
    beside |= {path.resolve() for path in (score.output, score.rejects) if isinstance(path, Path)}
    more = f" and {len(sources) - 1} more files" if len(sources) > 1 else ""
    return {
        "--input": f"{sources[0]!r}{more}",
        **{f"the input {name!r}": _input(Path(name)) for name in sources},
        **_options(model),
        **_options(score),
        **{f"the file {name!r} of the code directory": text for name, text in _folder(model.code_dir, beside)},
        **{f"{PARAMETER} {name}": _digest([text.encode()]) for name, text in parameters.delivered().items()},
        **_versions(),
    }


def check(found: Identity, expected: Identity, name: str) -> None:
    """Refuse to go on with another identity than that of the folder of a name; the first difference is told."""
    for what in dict.fromkeys([*expected, *found]):
        here, there = found.get(what, ABSENT), expected.get(what, ABSENT)
        if here != there and (what, there) != ENDS_AT_FAILURES:
            is_hidden = what.startswith(PARAMETER) and ABSENT not in (here, there)
            states = (
                "has another value than" if is_hidden else f"is {_shown(what, here)}, expected {_shown(what, there)} as"
            )
            raise UsageError(f"--resume: {what} {states} when {name!r} was begun; without --resume the run begins anew")


def ends_at_failures(begun: Identity) -> bool:
    """Say whether a run that was begun so ends where rows fail, and may go on past them."""
    return ENDS_AT_FAILURES in begun.items()


def _shown(what: str, state: str) -> str:
    """Return a state as it is told: values of runtime parameters may be anything."""
    return "given" if what.startswith(PARAMETER) and state != ABSENT else state


def _options(section: Any) -> dict[str, str]:
    declared = options.options(type(section))
    shown = [field.name for field in fields(section) if field.name not in NO_MATTER]
    return {declared[name].name: _word(getattr(section, name)) for name in shown}


def _word(value: Any) -> str:
    """Return the value of an option as it is told, another text for any other value."""
    if value is None or value == ():
        return NONE
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(map(_word, value))
    return repr(str(value)) if isinstance(value, str | Path) else str(value)


def _input(path: Path) -> str:
    state = path.stat()
    changed = datetime.fromtimestamp(state.st_mtime_ns // 10**9, timezone.utc)
    fraction = state.st_mtime_ns % 10**9
    digest = _digest(_samples(path))
    return f"{state.st_size} bytes of {changed:%Y-%m-%d %H:%M:%S}.{fraction:09} with digest {digest}"


def _folder(folder: Path, beside: Collection[Path]) -> Iterator[tuple[str, str]]:
    """Yield the files in a folder; hidden ones, those that Python compiles, and those of this run do not count."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        is_ours = any(one.with_name(f"{one.name}.partial") in path.parents or one == path for one in beside)
        if path.is_file() and not is_hidden and not is_ours:
            yield str(Path(*parts)), f"{path.stat().st_size} bytes with digest {_digest(_pieces(path))}"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(INPUT_BYTES):
            yield piece


def _samples(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, or so many of them, evenly spread, from its beginning to its end."""
    size = path.stat().st_size
    length = INPUT_BYTES // PIECES
    with path.open("rb") as file:
        for number in range(PIECES):
            if size > INPUT_BYTES:
                file.seek((size - length) * number // (PIECES - 1))
            yield file.read(length)


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()[:16]


def _versions() -> dict[str, str]:
    packages = (*LIBRARIES, *(package for line in FRAMEWORKS.values() for package in line.packages))
    found = versions.installed(dict.fromkeys(packages), {})
    here = {"drum": __version__, "Python": platform.python_version()}
    here |= {package: one.number for package, one in found.items()}
    return {f"the version of {name}": number for name, number in here.items()}
