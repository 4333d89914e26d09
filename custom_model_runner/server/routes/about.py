"""What the server has loaded, what it accepts and what it uses."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, jsonify

from custom_model_runner import __version__, plugins
from custom_model_runner.data import compression
from custom_model_runner.model import ModelInfo
from custom_model_runner.monitoring.timings import Timings
from custom_model_runner.server import resources
from custom_model_runner.server.routes import paths
from custom_model_runner.target_type import TargetType


def register(
    routes: Blueprint, info: ModelInfo, timings: Timings | None, supervisor: int | None, *, chats: bool
) -> None:
    """Add the routes that tell about the model and the server."""

    def show_info() -> Response:
        return jsonify(describe(info))

    def capabilities() -> Response:
        return jsonify(
            **formats(), supported_content_encodings=compression.ENCODINGS, supported_methods={"chat": chats}
        )

    def stats() -> Response:
        total = timings.take() if timings else None
        return jsonify(**resources.report(supervisor or os.getpid()), time_info={"run_predictor_total": total})

    paths.add(routes, "/info/", "info", show_info)
    paths.add(routes, "/capabilities/", "capabilities", capabilities)
    paths.add(routes, "/stats/", "stats", stats)


def formats() -> dict[str, Any]:
    """Return the formats of tables with the version of what reads them, and what `Accept` may name."""
    return {
        "supported_payload_formats": {
            name: version(line.library) if line.library else None
            for name, line in plugins.FORMATS.items()
            if line.reads
        },
        "supported_answer_formats": {name: list(line.writes) for name, line in plugins.FORMATS.items() if line.writes},
    }


def describe(info: ModelInfo) -> dict[str, Any]:
    """Return the body of `/info/`."""
    target = info.target
    body: dict[str, Any] = {
        "codeDir": str(info.codedir.path),
        "targetType": target.type.value,
        "predictor": info.framework,
        "language": info.codedir.language,
        "drumVersion": __version__,
        "drumServer": "flask",
        "modelMetadata": dict(info.codedir.metadata.raw) or None,
    }
    if target.type is TargetType.BINARY:
        body |= {"positiveClassLabel": target.positive_label, "negativeClassLabel": target.negative_label}
    if target.type is TargetType.MULTICLASS:
        body["classLabels"] = list(target.labels)
    return body
