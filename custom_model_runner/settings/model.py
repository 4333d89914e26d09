"""The folder, and what its predictions mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom_model_runner.options import option
from custom_model_runner.parsers import existing_directory, labels, labels_file
from custom_model_runner.target_type import TargetType


@dataclass(frozen=True)
class ModelSettings:
    """Which folder, and what its predictions mean."""

    code_dir: Path = option(
        "-cd",
        "--code-dir",
        metavar="DIR",
        variable="CODE_DIR",
        parse=existing_directory,
        required=True,
        help="folder with the model artifact and/or custom code",
    )
    language: str | None = option(
        "--language",
        choices=("python", "r", "julia", "java", "other"),
        help="language of the folder; detected when left out",
    )
    target_type: str | None = option(
        "--target-type",
        choices=tuple(kind.value for kind in TargetType),
        variable="TARGET_TYPE",
        help="what the model predicts; else taken from the metadata or inferred from the model",
    )
    positive_class_label: str | None = option(
        "--positive-class-label",
        metavar="LABEL",
        variable="POSITIVE_CLASS_LABEL",
        help="positive label of a binary target",
    )
    negative_class_label: str | None = option(
        "--negative-class-label",
        metavar="LABEL",
        variable="NEGATIVE_CLASS_LABEL",
        help="negative label of a binary target",
    )
    class_labels: tuple[str, ...] | None = option(
        "--class-labels",
        metavar="LABEL",
        takes_many=True,
        parse=labels,
        variable="CLASS_LABELS",
        yields_to="class_labels_file",
        help="labels of a multiclass or multilabel target, in order",
    )
    class_labels_file: tuple[str, ...] | None = option(
        "--class-labels-file",
        metavar="FILE",
        parse=labels_file,
        variable="CLASS_LABELS_FILE",
        yields_to="class_labels",
        help="file with one class label per line",
    )
    target_name: str | None = option(
        variable="TARGET_NAME",
        help="name of the target; needed by the text kinds of target",
    )
    disable_strict_validation: bool = option(
        "--disable-strict-validation",
        is_switch=True,
        default=False,
        help="only log what breaks the schema that the metadata declares",
    )
    no_pickle: bool = option(
        "--no-pickle",
        is_switch=True,
        default=False,
        variable="NO_PICKLE",
        help="open no artifact that can run code by being opened, such as a pickle",
    )
