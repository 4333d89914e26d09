"""Predictions, structured and unstructured, in the original's dialect."""

from __future__ import annotations

from flask import Blueprint, Response, request

from custom_model_runner.data import answers
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import bodies


def register(routes: Blueprint, predictor: Predictor) -> None:
    """Add the prediction routes."""

    @routes.post("/predict/")
    @routes.post("/predictions/")
    @routes.post("/invocations")
    def predict() -> Response:
        payload = bodies.table_payload(request)
        predictions = predictor.score(payload, charset=bodies.hook_charset(payload))
        return Response(answers.to_json(predictions), content_type="application/json")

    @routes.post("/predictUnstructured/")
    @routes.post("/predictionsUnstructured/")
    def predict_unstructured() -> Response:
        reply = predictor.answer(bodies.raw_payload(request), request.args, dict(request.headers))
        return Response(reply.body, content_type=reply.content_type)
