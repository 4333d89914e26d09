"""Parsers of option values: text in, value out, ValueError with what was found and expected."""

from __future__ import annotations

import glob
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from custom_model_runner import addresses
from custom_model_runner.addresses import Address

STANDARD_INPUT = "-"
# With what the names of files begin that do not count in a folder.
MARKS = (".", "_")
MOST_WORKERS = 199
CGROUP = Path("/sys/fs/cgroup")
# The files that hold quota and period.
QUOTAS = (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"))
TRUE_WORDS = frozenset({"t", "true", "y", "yes", "on", "1", "1.0"})
FALSE_WORDS = frozenset({"false", "n", "no", "off", "0", "none", "0.0"})


def processors(cgroup: Path = CGROUP) -> int:
    """Return how many processors this process may use, by its affinity and by the quota of its container."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, _quota(cgroup))))


def _quota(cgroup: Path) -> float:
    """Return the processors that a container may use in all, infinite where it is not told; cgroup v2 first."""
    for names in QUOTAS:
        try:
            quota, period = " ".join((cgroup / name).read_text() for name in names).split()
            # Without a limit, v2 says max and v1 -1.
            return int(quota) / int(period) if int(quota) > 0 else math.inf
        except (OSError, ValueError, ZeroDivisionError):
            continue
    return math.inf


def truth(text: str) -> bool:
    """Return whether a word means yes or no."""
    word = text.strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise ValueError(f"{text!r} is not a truth value, expected 'true' or 'false'")
    return word in TRUE_WORDS


def existing_directory(text: str) -> Path:
    """Return the real path of a directory that is there."""
    path = Path(text)
    if not text or not path.is_dir():
        found = "not a directory" if text and path.exists() else "not there"
        raise ValueError(f"{text!r} is {found}, expected an existing directory")
    return path.resolve()


def new_directory(text: str) -> Path:
    """Return the absolute path of a directory that is not there yet."""
    path = Path(text).absolute()
    if path.exists():
        raise ValueError(f"{text!r} exists already, expected a directory to create")
    return path


def input_file(text: str) -> str:
    """Return the real path of a file that is there; `-` is standard input."""
    if text == STANDARD_INPUT:
        return text
    path = Path(text)
    if not text or path.is_dir() or not path.exists():
        found = "a directory" if text and path.is_dir() else "not there"
        raise ValueError(f"{text!r} is {found}, expected an existing file")
    # A pipe such as /dev/fd/63 has no path beyond this name.
    return str(path.resolve()) if path.is_file() else text


def input_files(text: str) -> str:
    """Return the name of a file, a folder or a pattern, in which there is something to read; `-` is standard input.

    What an address leads to is found later.
    """
    if addresses.scheme_of(text) is not None:
        return text
    if text and files_of(text) == (text,):
        return input_file(text)
    if not text or not files_of(text):
        found = "a directory without files" if text and Path(text).is_dir() else "not there"
        raise ValueError(f"{text!r} is {found}, expected an existing file, a folder of files, or a pattern for some")
    return text


def files_of(text: str) -> tuple[str, ...]:
    """Return a file itself, the files in a folder, or those that a pattern means, by name.

    Hidden ones and marks like `_SUCCESS` are none.
    """
    if text == STANDARD_INPUT or (Path(text).exists() and not Path(text).is_dir()):
        return (text,)
    found = glob.glob(str(Path(glob.escape(text)) / "*") if Path(text).is_dir() else text, recursive=True)
    files = [Path(name) for name in found if Path(name).is_file()]
    return tuple(str(path.resolve()) for path in sorted(files) if not path.name.startswith(MARKS))


def readable_file(text: str) -> Path:
    """Return the absolute path of a file that can be read; what it points to may change."""
    path = Path(text).absolute()
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"{text!r} cannot be read: {error.strerror}") from error


def output_file(text: str) -> Path | None:
    """Return the path of a file to write, or None for standard output."""
    return None if text == "-" else Path(text)


def output_place(text: str) -> Path | Address | None:
    """Return the path or the address of a file to write, or None for standard output."""
    return output_file(text) if addresses.scheme_of(text) is None else Address(text)


def labels(texts: list[str]) -> tuple[str, ...]:
    """Return at least two different class labels, in order."""
    if len(texts) < 2:
        raise ValueError(f"found {len(texts)} class label(s), expected at least 2")
    repeated = sorted({text for text in texts if texts.count(text) > 1})
    if repeated:
        raise ValueError(f"the class labels {repeated} are given more than once")
    return tuple(texts)


def labels_file(text: str) -> tuple[str, ...]:
    """Return the class labels of a file, one a line; empty lines do not count."""
    try:
        lines = [line.rstrip("\r") for line in Path(text).read_text(encoding="utf-8-sig").split("\n")]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"the class labels file {text!r} cannot be read: {reason}") from error
    return labels([line for line in lines if line])


def column_names(text: bytes) -> tuple[str, ...]:
    """Return the stripped lines of UTF-8 text; none may be empty but those at the end."""
    try:
        names = [line.strip() for line in text.decode("utf-8-sig").rstrip().split("\n")]
    except UnicodeDecodeError as error:
        raise ValueError("the column names are not UTF-8 text") from error
    if "" in names:
        raise ValueError(f"line {names.index('') + 1} is empty, expected one column name per line")
    return tuple(names)


def column_names_file(text: str) -> tuple[str, ...]:
    """Return the column names of a file, one a line."""
    try:
        return column_names(Path(text).read_bytes())
    except OSError as error:
        raise ValueError(f"the file of column names {text!r} cannot be read: {error.strerror}") from error


def address(text: str) -> tuple[str, int]:
    """Return host and port; the port may be left out and is then 8080."""
    host, _, port = text.strip().rpartition(":") if ":" in text else (text.strip(), ":", "8080")
    is_bracketed = host.startswith("[") and host.endswith("]")
    if not host or (":" in host and not is_bracketed) or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise ValueError(f"{text!r} is no address, expected HOST:PORT, such as 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def address_or_off(text: str) -> tuple[str, int] | tuple[()]:
    """Return host and port, or nothing for `off`."""
    return () if text.strip().lower() == "off" else address(text)


def positive(text: str) -> int:
    """Return a whole number above zero."""
    if not text.isascii() or not text.strip().isdecimal() or int(text) == 0:
        raise ValueError(f"{text!r} is not a whole number above 0")
    return int(text)


def between(least: int, most: int) -> Callable[[str], int]:
    """Return the parser of whole numbers from one to another."""

    def parse(text: str) -> int:
        number = whole(text.strip())
        if not least <= number <= most:
            raise ValueError(f"{text!r} is out of range, expected a whole number from {least} to {most}")
        return number

    return parse


def seconds(*, least: float, most: float) -> Callable[[str], float]:
    """Return the parser of a time within bounds, in seconds."""

    def parse(text: str) -> float:
        found = number(text.strip())
        if not least <= found <= most:
            raise ValueError(f"{text!r} is out of range, expected seconds from {least} to {most}")
        return float(found)

    return parse


def workers(text: str) -> int:
    """Return a number of worker processes that a machine can be meant to bear; `auto` is one per usable processor."""
    if text.strip().lower() == "auto":
        return min(processors(), MOST_WORKERS)
    try:
        number = positive(text)
    except ValueError as error:
        raise ValueError(f"{error}, nor `auto`") from error
    if number > MOST_WORKERS:
        raise ValueError(f"{text!r} is too many, expected at most {MOST_WORKERS}")
    return number


def whole(text: str) -> int:
    """Return a whole number, written in decimal digits."""
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def number(text: str) -> int | float:
    """Return a finite number, whole if it is written without point and exponent."""
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return int(text)
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise ValueError(f"{text!r} is not a number")
    if not math.isfinite(float(text)):
        raise ValueError(f"{text!r} is too large a number")
    return float(text)


def prefix(text: str) -> str:
    """Return a URL prefix with one leading slash and none at the end; nothing stays nothing."""
    parts = [part for part in text.strip().split("/") if part]
    if not all(re.fullmatch(r"[\w.~-]+", part, re.ASCII) for part in parts):
        raise ValueError(f"{text!r} is no URL prefix, expected words of letters, digits and -._~ between slashes")
    return "/" + "/".join(parts) if parts else ""


def pairs(text: str) -> dict[str, str]:
    """Return the values of `name=value;name=value`, by name; an error does not show them, for one may be a secret."""
    found: dict[str, str] = {}
    for number, part in enumerate(filter(None, map(str.strip, text.split(";"))), start=1):
        name, is_there, value = (piece.strip() for piece in part.partition("="))
        if not (name and is_there and value):
            raise ValueError(f"setting {number} is not complete, expected name=value;name=value")
        if name in found:
            raise ValueError(f"the setting {name!r} is given twice, expected name=value;name=value, each name once")
        found[name] = value
    return found


def web_address(text: str) -> str:
    """Return the address of a web server, without a slash at its end."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError(f"{text!r} is no web address, expected one such as https://app.example.com")
    return text.strip().rstrip("/")
