"""Let only those ask who send the access token: `Authorization: Bearer TOKEN`."""

from __future__ import annotations

import hmac

from flask import Flask, abort, request
from werkzeug.datastructures import WWWAuthenticate

from custom_model_runner import RuntimeParameters

TOKENS = ("ACCESS_TOKEN", "FORMER_ACCESS_TOKEN")
# A cluster asks these without a token; they tell nothing about the model.
OPEN = frozenset({"model_api.ping", "model_api.health", "model_api.livez", "model_api.readyz"})
REALM = "model server"


def init_app(app: Flask) -> None:
    """Check every request, also for paths that nobody answers."""
    tokens = [token for name in TOKENS if (token := _token(name))]
    if not tokens:
        raise RuntimeError("the runtime parameter ACCESS_TOKEN has no value, and a server open to all is not wanted")

    @app.before_request
    def authenticate() -> None:
        if request.endpoint in OPEN:
            return
        sent = request.authorization
        if sent is None or sent.type != "bearer":
            abort(401, "An access token is needed", www_authenticate=WWWAuthenticate("bearer", {"realm": REALM}))
        # Every token is compared, and to its end: the time it takes tells nothing about them.
        known = [hmac.compare_digest(token, (sent.token or "").encode()) for token in tokens]
        if not any(known):
            challenge = WWWAuthenticate("bearer", {"realm": REALM, "error": "invalid_token"})
            abort(401, "The access token is not valid", www_authenticate=challenge)


def _token(name: str) -> bytes | None:
    credential = RuntimeParameters.get(name) if RuntimeParameters.has(name) else None
    return credential["apiToken"].encode() if credential else None
