"""Chat completions, in the dialect of OpenAI."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, request

from custom_model_runner.data import chat
from custom_model_runner.data.chat import ASSOCIATION_ID, MODEL, Said
from custom_model_runner.data.stages import ENCODE, RECEIVE
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import bodies, current, event_stream, failures, openai_errors
from custom_model_runner.server.routes import paths

JSON = "application/json"


def register(routes: Blueprint, predictor: Predictor) -> None:
    """Add the routes of models that chat."""

    def converse() -> Response:
        exchange = current.exchange()
        asked, stages = bodies.asked(request), exchange.stages
        stages.end(RECEIVE)
        if isinstance(name := asked.params.get(MODEL), str):
            exchange.attributes["gen_ai.request.model"] = name
        said = predictor.converse(asked, stages=stages)
        if not isinstance(said, Said):
            return event_stream.answer(said, asked, failures.teller(current_app))
        body = chat.to_json({**said.body, ASSOCIATION_ID: asked.association_id})
        stages.end(ENCODE)
        return Response(body, content_type=JSON)

    def models() -> Response:
        return Response(chat.to_json({"object": "list", "data": predictor.list_models()}), content_type=JSON)

    add(routes, converse)
    for path in openai_errors.MODELS:
        paths.add(routes, path, "models", models)


def add(routes: Blueprint, view: Callable[[], Response]) -> None:
    """Add a view that answers where a model is asked to chat."""
    for path in openai_errors.CHAT:
        paths.add(routes, path, "chat", view, method="POST")
