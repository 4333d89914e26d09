"""Several files as one input: their rows one after the other, with the types of them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce

from custom_model_runner.addresses import file_name
from custom_model_runner.batch import text
from custom_model_runner.batch.blocks import BEGINNING, Block, Blocks, Place, Whole
from custom_model_runner.errors import InputError
from custom_model_runner.spelling import quoted

Read = Callable[[Place], Iterator[Block]]
Columns = Sequence[tuple[str, str]]


def called(names: Sequence[str]) -> Sequence[str]:
    """Return what messages call files: their own names, with those of folders where these are not enough."""
    short = [file_name(name) for name in names]
    if len(set(short)) == len(short):
        return short
    parts = [name.split("/") for name in names]
    common = next(place for place, every in enumerate(zip(*parts, strict=False)) if len(set(every)) > 1)
    return ["/".join(every[common:]) for every in parts]


def types_of(names: Sequence[str], every: Sequence[Blocks]) -> Mapping[str, str]:
    """Return the types of the columns of all files; text is asked what it holds, others say where they have gaps."""
    kind = text.KINDS.get(every[0].media_type)
    if kind is None:
        return {name: type_ for blocks in every for name, type_ in (blocks.types or {}).items()}
    types = text.types_of(kind, reduce(kind.joined, (blocks.facts or {} for blocks in every)))
    if types is None:
        raise _alone(called(names)[0], text.LARGE)
    return types


def joined(names: Sequence[str], every: Sequence[Blocks]) -> Blocks:
    """Return the blocks of all files, numbered anew; a file with other columns than the first is an input error."""
    first, *_ = found = called(names)
    for name, blocks in zip(found, every, strict=True):
        if blocks.columns != every[0].columns:
            what = _difference(blocks.columns or (), every[0].columns or ())
            raise InputError(f"The input {name!r} has other columns, types or order than {first!r}: {what}")
    rows = [blocks.rows or 0 for blocks in every]
    types = types_of(names, every)
    cuts = [cut for blocks in every for cut in blocks.cuts]
    read = reading(names, [blocks.read for blocks in every])
    return replace(every[0], types=types, rows=sum(rows), read=read, cuts=cuts)


def _difference(found: Columns, expected: Columns) -> str:
    """Say in which column a file first differs from another: one that it lacks or has beside, its place or type."""
    parts = [("lacks", _without(expected, found)), ("has", _without(found, expected))]
    words = " and ".join(f"{verb} {quoted(names[0])}" for verb, names in parts if names)
    if words:
        return f"it {words}"
    (name, type_), (other, due) = next(pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1])
    if name != other:
        return f"{quoted(name)} stands where {quoted(other)} does"
    return f"column {quoted(name)} is {type_}, expected {due}"


def _without(columns: Columns, others: Columns) -> Sequence[str]:
    known = frozenset(name for name, _ in others)
    return [name for name, _ in columns if name not in known]


def reading(names: Sequence[str], every: Sequence[Read]) -> Read:
    """Return what yields the blocks of all files, numbered anew."""
    return partial(_read, called(names), every)


def _read(names: Sequence[str], every: Sequence[Read], place: Place) -> Iterator[Block]:
    number, done = place.number, place.files
    # A file counts its blocks from where it is begun.
    first = replace(place, files=0)
    for files, name in enumerate(names[done:], start=done):
        for block in every[files](first if files == done else BEGINNING):
            behind = replace(block.behind, number=number + 1, files=files + block.behind.files)
            yield replace(block, number=number, source=name, behind=behind)
            number += 1


def each(names: Sequence[str], look: Callable[[str], Blocks | Whole]) -> list[Blocks]:
    """Return the blocks of each file; what is wrong names the file, and so does one that must be read as a whole."""
    return [_one(source, name, look) for source, name in zip(names, called(names), strict=True)]


def _one(source: str, name: str, look: Callable[[str], Blocks | Whole]) -> Blocks:
    try:
        found = look(source)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    if isinstance(found, Whole):
        raise _alone(name, found.reason)
    return found


def _alone(name: str, reason: str | None) -> InputError:
    return InputError(f"The input {name!r} can only be read alone, as a whole{': ' if reason else ''}{reason or ''}")
