"""What `promtool check metrics` says of a page of metrics, as far as a server could give it reason to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

SAMPLE = re.compile(r'(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>(?:\w+="(?:[^"\\]|\\.)*",?)*)\})? \S+')
LABEL = re.compile(r'(\w+)="')
# Types, abbreviations, and units that are none of the base: seconds, bytes, ratios.
TYPES = {"counter", "gauge", "histogram", "summary"}
ABBREVIATIONS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"}
NO_BASE_UNITS = {"milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "weeks", "bits", "percent"}
SUFFIXES = {"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}}
RESERVED = ("_bucket", "_sum", "_count")


def complaints(text: str) -> list[str]:
    """Name what is wrong with a page, each family and sample once."""
    lines = text.splitlines()
    counts = Counter(" ".join(line.split(" ")[:-1] if line[0] != "#" else line.split(" ")[:3]) for line in lines)
    twice = [f"{start} is there {times} times" for start, times in counts.items() if times > 1]
    return [*twice, *_of_samples(lines)]


def _of_samples(lines: list[str]) -> Iterator[str]:
    helped, name, kind = "", "", ""
    for line in lines:
        if line.startswith("# HELP "):
            _, _, helped, text = line.split(" ", 3)
            if not text:
                yield f"{helped} has no help"
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            yield from _of_name(name, kind)
            if name != helped:
                yield f"{name} has no help"
        else:
            found = SAMPLE.fullmatch(line)
            if found is None or not found["name"].startswith(name):
                yield f"{line} is no sample of {name}"
            elif found["name"].removeprefix(name) not in SUFFIXES[kind]:
                yield f"{line} is no sample of a {kind}"
            else:
                yield from _of_labels(name, kind, LABEL.findall(found["labels"] or ""))


def _of_name(name: str, kind: str) -> Iterator[str]:
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or (TYPES | ABBREVIATIONS | NO_BASE_UNITS) & set(name.split("_")):
        yield f"{name} is no good name"
    if (kind == "counter") != name.endswith("_total"):
        yield f"{name} is a {kind}: counters, and they alone, end with _total"
    if name.endswith(RESERVED):
        yield f"{name} ends as the samples of histograms do"


def _of_labels(name: str, kind: str, labels: list[str]) -> Iterator[str]:
    reserved = {"quantile"} if kind == "histogram" else {"le", "quantile"}
    yield from (
        f"{name} has a label {label}" for label in labels if label in reserved or not re.fullmatch("[a-z_]+", label)
    )
