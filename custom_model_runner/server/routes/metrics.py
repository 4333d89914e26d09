"""The metrics of the server, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Blueprint, Response

from custom_model_runner.monitoring.exposition import CONTENT_TYPE
from custom_model_runner.server.routes import paths

PATH, ENDPOINT = "/metrics", "metrics"


def register(routes: Blueprint, expose: Callable[[], bytes]) -> None:
    """Add the route; `expose` writes the metrics of all workers."""
    paths.add(routes, PATH, ENDPOINT, lambda: Response(expose(), content_type=CONTENT_TYPE))


def rules() -> Iterator[tuple[str, str]]:
    """Yield the path without a prefix, in both spellings, and the endpoint."""
    yield from ((rule, ENDPOINT) for rule in paths.spellings(PATH))
