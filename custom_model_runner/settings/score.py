"""One batch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.addresses import Address
from custom_model_runner.options import option
from custom_model_runner.parsers import column_names_file, input_files, output_place, positive, workers
from custom_model_runner.plugins import FORMATS as LINES

FORMATS = tuple(LINES)


@dataclass(frozen=True)
class ScoreSettings:
    """One batch: from where, to where, and as what."""

    input: str = option(
        "--input",
        metavar="FILE",
        parse=input_files,
        required=True,
        help="file to score, or a folder or a pattern for several, here or in a storage; - is standard input",
    )
    output: Path | Address | None = option(
        "--output", metavar="FILE", parse=output_place, help="file to write, here or in a storage; else standard output"
    )
    input_format: str | None = option(
        "--input-format",
        choices=FORMATS,
        help="what the input is, whatever its name; needed for pipes that are not CSV",
    )
    output_format: str | None = option(
        "--output-format", choices=FORMATS, help="what the output is to be, whatever its name"
    )
    batch_rows: int | None = option(
        "--batch-rows",
        metavar="N",
        parse=positive,
        help="rows that are read and predicted at a time (default: as many as take about 2 MiB; a file of up to 8 MiB "
        "at once, unless --workers or --on-error cut it too)",
    )
    whole_file: bool = option(
        "--whole-file", is_switch=True, default=False, help="predict all rows at once, whatever memory that takes"
    )
    on_error: str = option(
        "--on-error",
        choices=("stop", "skip", "null"),
        default="stop",
        help="what becomes of rows that fail: end the run, leave them out, or predict nothing for them",
    )
    rejects: Path | None = option(
        "--rejects", metavar="FILE", parse=Path, help="file for the rows that fail, with --on-error skip or null"
    )
    resume: bool = option(
        "--resume",
        is_switch=True,
        default=False,
        help="go on where an earlier run with the same options was interrupted",
    )
    workers: int = option(
        "--workers",
        metavar="N|auto",
        parse=workers,
        default=1,
        help="processes that read and predict blocks; auto is one per usable processor",
    )
    passthrough: tuple[str, ...] = option(
        "--passthrough",
        metavar="COLUMN",
        takes_many=True,
        parse=tuple,
        default=(),
        help="columns of the input that are carried along to the output",
    )
    column_names: tuple[str, ...] | None = option(
        "--sparse-column-file",
        metavar="FILE",
        parse=column_names_file,
        help="file with one column name per line, for MatrixMarket input",
    )
    query: str | None = option("--query", metavar="STR", help="URL-encoded query handed to score_unstructured")
    content_type: str | None = option(
        "--content-type", metavar="STR", help="content type of the input, for unstructured models"
    )
    max_decoded_bytes: int | None = option(
        "--max-decoded-bytes",
        metavar="N",
        parse=positive,
        help="most bytes that a compressed input may decode to (default: the memory that is available)",
    )
    summary: str | None = option(
        "--summary",
        metavar="FILE",
        bare="",
        help="write what was counted as one line of JSON, to a file, or else as the last line of standard error",
    )
    no_progress: bool = option(
        "--no-progress", is_switch=True, default=False, help="do not show on a terminal how far the run is"
    )
    show_perf: bool = option("--show-perf", is_switch=True, default=False, help="report how long the run took")
