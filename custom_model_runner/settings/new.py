"""What `drum new` creates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.options import option
from custom_model_runner.parsers import new_directory


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
