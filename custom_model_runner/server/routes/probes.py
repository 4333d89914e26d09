"""Is it alive, is it ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Blueprint, Response, jsonify

from custom_model_runner.server.routes import paths

ENDPOINTS = {"/": "ping", "/ping/": "ping", "/health/": "health"}
FOR_ORCHESTRATORS = {"/livez": "livez", "/readyz": "readyz"}


def register(routes: Blueprint, answer: Callable[[], Response]) -> None:
    """Add the probes, which all give the same answer."""
    for path, endpoint in ENDPOINTS.items():
        paths.add(routes, path, endpoint, answer)


def register_health(routes: Blueprint, why_not_ready: Callable[[], str | None]) -> None:
    """Add what an orchestrator asks: does the process live, and should it get requests."""

    def ready() -> Response:
        reason = why_not_ready()
        if reason is None:
            return well()
        answer = jsonify(message=f"ERROR: not ready: {reason}")
        answer.status_code = 503
        return answer

    paths.add(routes, "/livez", "livez", well)
    paths.add(routes, "/readyz", "readyz", ready)


def rules() -> Iterator[tuple[str, str]]:
    """Yield the paths of the probes without a prefix, in both spellings, and the endpoint of each."""
    for path, endpoint in {**ENDPOINTS, **FOR_ORCHESTRATORS}.items():
        yield from ((rule, endpoint) for rule in paths.spellings(path))


def well() -> Response:
    """Say that all is well; a worker answers only once its model is loaded."""
    return jsonify(message="OK")
