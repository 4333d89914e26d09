"""What is settled of a batch before anything is read: what comes in, what goes out, and in blocks of how many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from custom_model_runner import plugins
from custom_model_runner.addresses import Address, file_name, shown
from custom_model_runner.batch import columns, rejects, segments, several, sinks, sources, steady, text
from custom_model_runner.batch.blocks import BLOCK_BYTES, Blocks, Limits, Whole
from custom_model_runner.batch.several import Read
from custom_model_runner.batch.steady import States
from custom_model_runner.data import compression, tables, transformed
from custom_model_runner.data.compression import Readable
from custom_model_runner.errors import InputError, UsageError
from custom_model_runner.model import Model
from custom_model_runner.plugins import ARROW_FILE, ARROW_STREAM, PARQUET
from custom_model_runner.settings import ScoreSettings
from custom_model_runner.target_type import TargetType

# What is handed over as a whole, since there is nothing to gain by blocks.
SMALL_BYTES = 8 << 20
ARROW = frozenset({ARROW_FILE, ARROW_STREAM})
# Of a small file each worker gets some blocks, none of them tiny.
BLOCKS_OF_WORKER = 4
LEAST_BLOCK_BYTES = 64 << 10
# A stream has no bound but the disk where it comes from.
UNBOUNDED = 1 << 62


@dataclass(frozen=True)
class Plan:
    """What an input is read as, what an output is written as and compressed with, and how many rows make a block.

    `size` is the bytes of the input, None for a pipe; `states` are those of files on this machine.
    """

    sources: tuple[str, ...]
    media_type: str
    written_type: str
    written_encoding: str | None
    block_rows: int | None
    workers: int
    is_whole: bool
    limits: Limits
    size: int | None
    states: States
    rejects_rows: bool = False

    @property
    def source(self) -> str:
        """The only file, or the first of several."""
        return self.sources[0]

    @property
    def name(self) -> str:
        """What messages call the input, or the first file of it."""
        return repr(file_name(self.source)) if sources.is_lasting(self.source) else "the input"

    @property
    def may_be_whole(self) -> bool:
        """Say whether an input may be handed over as a whole if it is small."""
        return self.block_rows is None and self.workers == 1 and len(self.sources) == 1 and not self.rejects_rows


def settle(settings: ScoreSettings, output: Path | Address | None) -> Plan:
    """Return the plan of a batch; what contradicts itself is a usage error."""
    name, encoding = compression.split(output.name if output else "")
    written = _type_of(name, settings.output_format)
    found = sources.files(settings.input)
    files = tuple(found)
    media_types = [_type_of(compression.split(file_name(file))[0], settings.input_format) for file in files]
    odd = next((place for place, kind in enumerate(media_types) if kind != media_types[0]), None)
    if odd is not None:
        raise UsageError(
            f"--input: {shown(files[odd])!r} has another format than {shown(files[0])!r}; "
            "--input-format tells one for all"
        )
    if settings.whole_file and settings.batch_rows is not None:
        raise UsageError("--whole-file and --batch-rows exclude each other; found both")
    _check_rejects(settings, output)
    if settings.resume:
        _check_resumable(files, output)
    return Plan(
        files,
        media_types[0],
        written,
        encoding,
        settings.batch_rows,
        settings.workers,
        settings.whole_file or written not in segments.STREAMED,
        Limits(
            settings.max_decoded_bytes or UNBOUNDED,
            sources.limit_of(settings.max_decoded_bytes),
            _block_bytes(_sum(found.values()), settings.workers),
        ),
        _sum(found.values()),
        steady.states(filter(sources.is_file, files)),
        settings.on_error != rejects.STOP,
    )


def _check_rejects(settings: ScoreSettings, output: Path | Address | None) -> None:
    path, is_wanted = settings.rejects, settings.on_error != rejects.STOP
    if (path is not None) != is_wanted:
        raise UsageError("--on-error skip or null and --rejects FILE go together; found only one of them")
    if path is None:
        return
    if settings.whole_file:
        raise UsageError("--whole-file and --on-error exclude each other; found both")
    rejects.form_of(path)
    place = sinks.choose(path, settings.input, flag="--rejects")
    if place is None or (isinstance(output, Path) and place.resolve() == output.resolve()):
        raise UsageError(f"--rejects: {str(path)!r} is the output itself")


def _check_resumable(files: Sequence[str], output: Path | Address | None) -> None:
    if not all(map(sources.is_lasting, files)):
        raise UsageError("--resume: a pipe cannot be read again, expected a file, a folder or a pattern as --input")
    if not all(map(sources.is_file, files)):
        raise UsageError(
            "--resume: what is in a storage is not known again, expected a file on this machine as --input"
        )
    if output is None or not sinks.is_plain(output):
        raise UsageError("--resume: what was written cannot be gone on with, expected a file as --output")


def _sum(sizes: Iterable[int | None]) -> int | None:
    every = list(sizes)
    return None if None in every else sum(filter(None, every))


def _block_bytes(size: int | None, workers: int) -> int:
    """Return how many bytes make a block: fewer where several workers are to have a part of a small input."""
    if workers == 1 or size is None:
        return BLOCK_BYTES
    share = size // (workers * BLOCKS_OF_WORKER)
    return max(LEAST_BLOCK_BYTES, min(BLOCK_BYTES, share))


def _type_of(name: str, format_name: str | None) -> str:
    """Return the media type of a file name, unless a format is given that is another."""
    by_name = tables.media_type_of(name)
    if format_name is None:
        return by_name
    suffixes = plugins.FORMATS[format_name].suffixes
    if format_name == "arrow":
        return by_name if by_name in ARROW else ARROW_STREAM
    return next(iter(suffixes.values()))


def takes_blocks(model: Model) -> bool:
    """Say whether a model can be given a table in parts: not one that reads files for itself."""
    return model.read is None and model.info.target.type is not TargetType.UNSTRUCTURED


def look(plan: Plan, *, expects: bool = False) -> Blocks | Whole:
    """Return files in blocks, or why not; this reads all of them where that tells the types of columns.

    If types may be expected, the rows of one file are not all read where some of them tell.
    """
    if len(plan.sources) == 1 or plan.is_whole:
        return _look_at(plan, plan.source, expects=expects)
    return several.joined(plan.sources, several.each(plan.sources, partial(_look_at, plan)))


def again(plan: Plan, known: Mapping[str, Any]) -> Blocks:
    """Return files in the blocks that an earlier look has found, without looking."""
    pairs = zip(plan.sources, known["cuts"], strict=True)
    every = [_read_again(plan, source, cut) for source, cut in pairs]
    read = every[0] if len(every) == 1 else several.reading(plan.sources, every)
    return Blocks(**{**known, "limit": plan.limits.table, "read": read})


def _read_again(plan: Plan, source: str, cut: Mapping[str, Any]) -> Read:
    if plan.media_type in text.KINDS:
        return text.again(source, plan.media_type, cut, plan.limits).read
    return columns.again(source, "Parquet" if plan.media_type == PARQUET else "Arrow", cut).read


def _look_at(plan: Plan, source: str, *, expects: bool = False) -> Blocks | Whole:
    encoding = sources.encoding_of(source)
    if plan.is_whole or plan.media_type == transformed.MATRIX_MARKET:
        return Whole()
    if plan.media_type in (*ARROW, PARQUET):
        return _columns(plan, source, is_compressed=encoding is not None)
    if plan.media_type not in text.KINDS:
        return Whole()
    if plan.may_be_whole and not sources.is_longer(source, SMALL_BYTES):
        return Whole()
    with sources.opened(source, plan.limits.decoded) as stream:
        first = sources.take(stream, text.HEAD_BYTES)
        cutting = _cutting(plan, source, first)
        if cutting is None and not first.strip() and len(plan.sources) > 1:
            raise InputError("The file is empty, expected a header line")
        if cutting is None:
            return Whole(reason=text.uncut(first, stream)[1])
    return (text.expected(cutting) if expects else None) or text.look(cutting)


def _cutting(plan: Plan, source: str, first: bytes) -> text.Cutting | None:
    return text.cutting(first, plan.media_type, source, block_rows=plan.block_rows, limits=plan.limits)


def _columns(plan: Plan, source: str, *, is_compressed: bool) -> Blocks | Whole:
    if plan.may_be_whole and not sources.is_longer(source, SMALL_BYTES // 4):
        return Whole()
    if is_compressed:
        return Whole(reason="it is compressed as a whole")
    read = columns.look_at_parquet if plan.media_type == PARQUET else columns.look_at_arrow
    return read(sources.at_hand(source), block_rows=plan.block_rows, limits=plan.limits)


def look_at_pipe(plan: Plan, counted: Callable[[Readable], Readable]) -> Blocks | Whole:
    """Return a pipe in blocks, or what was read of it already; its beginning tells the types of columns."""
    if plan.is_whole or plan.media_type not in text.KINDS:
        return Whole()
    stream = counted(sources.pipe(plan.source))
    first = sources.take(stream, text.SAMPLE_BYTES)
    has_ended = len(first) < text.SAMPLE_BYTES
    if plan.may_be_whole and has_ended and len(first) <= SMALL_BYTES:
        return Whole(first)
    cutting = _cutting(plan, plan.source, first)
    if cutting is None:
        first, reason = text.uncut(first, stream)
        return Whole(first + compression.read_all(stream), reason)
    found = text.look_at_pipe(cutting, first, stream, has_ended=has_ended)
    return Whole(first + compression.read_all(stream), found.reason) if isinstance(found, Whole) else found
