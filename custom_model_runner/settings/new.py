"""What `drum new` creates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.options import option
from custom_model_runner.parsers import existing_directory, input_file, new_directory, output_file


@dataclass(frozen=True)
class NewModelSettings:
    """What folder to create."""

    code_dir: Path = option(
        "-cd",
        "--code-dir",
        metavar="DIR",
        variable="CODE_DIR",
        parse=new_directory,
        required=True,
        help="folder to create",
    )
    language: str = option("--language", choices=("python",), required=True, help="language of the new folder")


@dataclass(frozen=True)
class NewSchemaSettings:
    """From which sample a schema is inferred, and where it goes."""

    input: str = option(
        "--input", metavar="FILE", parse=input_file, required=True, help="table to learn from; - is standard input"
    )
    output: Path | None = option(
        "--output", metavar="FILE", parse=output_file, help="file to write; else standard output"
    )
    code_dir: Path | None = option(
        "-cd",
        "--code-dir",
        metavar="DIR",
        parse=existing_directory,
        help="folder to whose model-metadata.yaml the schema is appended, instead of an output",
    )
