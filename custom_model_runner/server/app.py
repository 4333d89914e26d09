"""The flask applications: one for a loaded model, one that says why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from flask import Blueprint, Flask, Response, request

from custom_model_runner.data import answers, deployment
from custom_model_runner.data.exchange import Watcher
from custom_model_runner.errors import LoadError
from custom_model_runner.monitoring.timings import Timings
from custom_model_runner.predictor import Predictor
from custom_model_runner.server import current, event_stream, exchanges, failures, health, incoming, keys, openai_errors
from custom_model_runner.server.board import State
from custom_model_runner.server.keys import Keyring
from custom_model_runner.server.routes import about, chat, metrics, predict, probes, transform
from custom_model_runner.settings import ServerSettings

# Users' own code refers to routes by this name: `model_api.ping`.
BLUEPRINT = "model_api"
# The endpoints that call the model.
CALLS = frozenset(f"{BLUEPRINT}.{name}" for name in ("predict", "predict_unstructured", "transform", "chat", "models"))


def create_app(
    predictor: Predictor,
    settings: ServerSettings,
    *,
    keyring: Keyring | None = None,
    timings: Timings | None = None,
    show_stacktrace: bool = False,
    supervisor: int | None = None,
    why_not_ready: Callable[[], str | None] = lambda: None,
    watchers: Sequence[Watcher] = (),
    expose: Callable[[], bytes] = bytes,
    admit: Callable[[], None] = lambda: None,
) -> Flask:
    """Return the application that serves a loaded model.

    `keyring` has the keys of those who may ask; `supervisor` is the first process of the server; `watchers` are told of
    its requests, `expose` writes its metrics; `admit` refuses calls before they are read.
    """
    folder = predictor.info.codedir.path
    app = _bare_app(settings, watchers, keyring, show_stacktrace=show_stacktrace, folder=folder)
    routes = Blueprint(BLUEPRINT, __name__, url_prefix=settings.url_prefix or None)
    probes.register(routes, probes.well)
    probes.register_health(routes, why_not_ready)
    metrics.register(routes, expose)
    about.register(routes, predictor.info, timings, supervisor, chats=predictor.model.chat is not None)
    predict.register(routes, predictor, _json_writer(predictor, settings))
    transform.register(routes, predictor)
    chat.register(routes, predictor)
    app.register_blueprint(routes)
    app.before_request(lambda: admit() if request.endpoint in CALLS else None)
    _add_bare_probes(app, settings)
    app.wsgi_app = event_stream.end_with_answer(app.wsgi_app)  # type: ignore[assignment]
    return app


def _json_writer(predictor: Predictor, settings: ServerSettings) -> deployment.Writer:
    if settings.deployment_config is None:
        return answers.to_json
    return deployment.writer(settings.deployment_config, predictor.info.target)


def create_error_app(
    error: Exception,
    settings: ServerSettings,
    *,
    keyring: Keyring | None = None,
    watchers: Sequence[Watcher] = (),
    expose: Callable[[], bytes] = bytes,
) -> Flask:
    """Return the application that answers with status 513 and the reason why the model could not be loaded."""
    app = _bare_app(settings, watchers, keyring, show_stacktrace=False)

    def explain() -> Response:
        current.fail(LoadError.__name__)
        return failures.in_dialect(str(error), LoadError.status)

    routes = Blueprint(BLUEPRINT, __name__, url_prefix=settings.url_prefix or None)
    probes.register(routes, explain)
    probes.register_health(routes, lambda: health.NOT_READY[State.FAILED])
    metrics.register(routes, expose)
    predict.add(routes, explain, explain)
    transform.add(routes, explain)
    chat.add(routes, explain)
    app.register_blueprint(routes)
    _add_bare_probes(app, settings)
    return app


def _add_bare_probes(app: Flask, settings: ServerSettings) -> None:
    """Let probes answer without the prefix too, as the same endpoints: whoever sends them may not know it."""
    if settings.url_prefix:
        for rule, endpoint in (*probes.rules(), *metrics.rules()):
            app.add_url_rule(rule, f"{BLUEPRINT}.{endpoint}", methods=["GET"])


def _bare_app(
    settings: ServerSettings,
    watchers: Sequence[Watcher],
    keyring: Keyring | None,
    *,
    show_stacktrace: bool,
    folder: Path | None = None,
) -> Flask:
    app = Flask("custom_model_runner", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body_bytes
    app.config[incoming.DECODED_LIMIT] = settings.max_decoded_bytes
    app.config[openai_errors.PREFIX] = settings.url_prefix
    app.url_map.merge_slashes = False
    exchanges.watch(app, watchers, prefix=settings.url_prefix)
    failures.register(app, show_stacktrace=show_stacktrace, folder=folder)
    if keyring is not None:
        is_open = (*probes.rules(), *(metrics.rules() if settings.open_metrics else ()))
        keys.ask_for(app, keyring, exempt=frozenset(f"{BLUEPRINT}.{endpoint}" for _, endpoint in is_open))
    return app
