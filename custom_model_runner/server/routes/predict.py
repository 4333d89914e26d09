"""Predictions, structured and unstructured, in the original's dialect."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from custom_model_runner.data import answers, stages, tables
from custom_model_runner.data.predictions import Predictions
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import accept, bodies, current, incoming
from custom_model_runner.server.routes import paths

STRUCTURED = ("/predict/", "/predictions/", "/invocations")
UNSTRUCTURED = ("/predictUnstructured/", "/predictionsUnstructured/")
View = Callable[[], Response]


def register(routes: Blueprint, predictor: Predictor, to_json: Callable[[Predictions], bytes]) -> None:
    """Add the prediction routes; `to_json` writes the answers of the structured ones that are JSON."""
    offered = [answers.JSON, *(name for name in tables.writable() if name != answers.JSON)]

    def predict() -> Response:
        exchange = current.exchange()
        payload = bodies.table_payload(request)
        exchange.stages.end(stages.RECEIVE)
        predictions = predictor.score(
            payload, charset=bodies.hook_charset(payload), request_id=exchange.request_id, stages=exchange.stages
        )
        media_type = accept.choose(request.accept_mimetypes, offered)
        body = to_json(predictions) if media_type == answers.JSON else answers.write(predictions, media_type)
        exchange.stages.end(stages.ENCODE)
        return Response(body, mimetype=media_type, headers={"Vary": "Accept"})

    def predict_unstructured() -> Response:
        exchange = current.exchange()
        payload, sent = bodies.raw_payload(request), incoming.headers_of(request)
        exchange.stages.end(stages.RECEIVE)
        request_id = exchange.request_id
        reply = predictor.answer(payload, request.args, sent, request_id=request_id, stages=exchange.stages)
        return Response(reply.body, content_type=reply.content_type)

    add(routes, predict, predict_unstructured)


def add(routes: Blueprint, structured: View, unstructured: View) -> None:
    """Add a view for each way of asking for predictions."""
    for path in STRUCTURED:
        paths.add(routes, path, "predict", structured, method="POST")
    for path in UNSTRUCTURED:
        paths.add(routes, path, "predict_unstructured", unstructured, method="POST")
