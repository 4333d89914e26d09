"""The flask applications: one for a loaded model, one that says why there is none."""

from __future__ import annotations

from flask import Blueprint, Flask, Response

from custom_model_runner.monitoring.timings import Timings
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import failures, headers
from custom_model_runner.server.routes import about, predict, probes
from custom_model_runner.settings import ServerSettings

# Users' own code refers to routes by this name: `model_api.ping`.
BLUEPRINT = "model_api"
FAILED_PROBES = ("/", "/ping/", "/health/")
FAILED_POSTS = (
    "/predict/",
    "/predictions/",
    "/invocations",
    "/predictUnstructured/",
    "/predictionsUnstructured/",
)


def create_app(
    predictor: Predictor, settings: ServerSettings, *, timings: Timings | None = None, show_stacktrace: bool = False
) -> Flask:
    """Return the application that serves a loaded model."""
    app = _bare_app(settings, show_stacktrace=show_stacktrace)
    routes = Blueprint(BLUEPRINT, __name__)
    probes.register(routes)
    about.register(routes, predictor.info, timings)
    predict.register(routes, predictor)
    app.register_blueprint(routes, url_prefix=settings.url_prefix)
    if settings.url_prefix:
        bare = Blueprint("probes", __name__)
        probes.register(bare)
        app.register_blueprint(bare)
    return app


def create_error_app(error: Exception, settings: ServerSettings) -> Flask:
    """Return the application that answers with status 513 and the reason why the model could not be loaded."""
    app = _bare_app(settings, show_stacktrace=False)
    message = f"ERROR: {error}"

    def explain() -> Response:
        return failures.answer(message, 513)

    for prefix in {settings.url_prefix, ""}:
        for path in FAILED_PROBES:
            app.add_url_rule(prefix + path, f"{prefix}{path}", explain, methods=["GET"])
    for path in FAILED_POSTS:
        app.add_url_rule(settings.url_prefix + path, path, explain, methods=["POST"])
    return app


def _bare_app(settings: ServerSettings, *, show_stacktrace: bool) -> Flask:
    app = Flask("custom_model_runner", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    # Clients resend a body only reluctantly: no path is answered with a redirect.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    headers.register(app)
    failures.register(app, show_stacktrace=show_stacktrace)
    return app
