"""Is it alive, is it ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Blueprint, Response, jsonify

from custom_model_runner.server.routes import paths

ENDPOINTS = {"/": "ping", "/ping/": "ping", "/health/": "health"}


def register(routes: Blueprint, answer: Callable[[], Response]) -> None:
    """Add the probes, which all give the same answer."""
    for path, endpoint in ENDPOINTS.items():
        paths.add(routes, path, endpoint, answer)


def rules() -> Iterator[tuple[str, str]]:
    """Yield the paths of the probes without a prefix, in both spellings, and the endpoint of each."""
    for path, endpoint in ENDPOINTS.items():
        yield from ((rule, endpoint) for rule in paths.spellings(path))


def well() -> Response:
    """Say that all is well; a worker answers only once its model is loaded."""
    return jsonify(message="OK")
