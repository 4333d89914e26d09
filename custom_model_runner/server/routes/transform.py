"""Tables in, transformed tables out, in the original's dialect."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from custom_model_runner.data import stages, transform_parts
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import bodies, current, forms
from custom_model_runner.server.routes import paths


def register(routes: Blueprint, predictor: Predictor) -> None:
    """Add the route of transform models."""

    def transform() -> Response:
        exchange = current.exchange()
        asked = bodies.transform_request(request)
        exchange.stages.end(stages.RECEIVE)
        result = predictor.transform(asked.table, asked.target, request_id=exchange.request_id, stages=exchange.stages)
        response = forms.answer(transform_parts.parts(result, asked.arrow))
        exchange.stages.end(stages.ENCODE)
        return response

    add(routes, transform)


def add(routes: Blueprint, view: Callable[[], Response]) -> None:
    """Add a view that answers where transformed tables are asked for."""
    paths.add(routes, "/transform/", "transform", view, method="POST")
