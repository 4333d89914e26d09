"""Tables in, transformed tables out, in the original's dialect."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from custom_model_runner.data import transform_parts
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import bodies, forms, headers
from custom_model_runner.server.routes import paths


def register(routes: Blueprint, predictor: Predictor) -> None:
    """Add the route of transform models."""

    def transform() -> Response:
        asked = bodies.transform_request(request)
        result = predictor.transform(asked.table, asked.target, request_id=headers.request_id())
        return forms.answer(transform_parts.parts(result, asked.arrow))

    add(routes, transform)


def add(routes: Blueprint, view: Callable[[], Response]) -> None:
    """Add a view that answers where transformed tables are asked for."""
    paths.add(routes, "/transform/", "transform", view, method="POST")
