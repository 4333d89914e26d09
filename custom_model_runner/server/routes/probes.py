"""Is it alive, is it ready."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify


def register(routes: Blueprint) -> None:
    """Add the probes; a worker answers only once its model is loaded."""

    @routes.get("/")
    @routes.get("/ping/")
    def ping() -> Response:
        return jsonify(message="OK")

    @routes.get("/health/")
    def health() -> Response:
        return jsonify(message="OK")
