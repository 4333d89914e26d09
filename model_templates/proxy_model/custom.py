"""Hand each table to a model that another server serves, and give back what it predicts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from custom_model_runner import CustomHTTPError, RuntimeParameters

BAD_GATEWAY, GATEWAY_TIMEOUT = 502, 504
# What the sender of a table can do something about; anything else is between the two servers.
PASSED_ON = frozenset({400, 413, 415, 422, 429, 503})


@dataclass(frozen=True)
class Remote:
    """The other server. The token is never shown, not even in a traceback that prints this record."""

    connect: Callable[[], HTTPConnection]
    address: str
    path: str
    seconds: float
    token: str | None = field(repr=False)


def load_model(code_dir: str) -> Remote:
    """Read once where the model is; an address that cannot be one must not wait for the first request."""
    url = urlsplit(RuntimeParameters.get("REMOTE_URL"))
    if url.scheme not in ("http", "https") or not url.hostname or url.username:
        raise ValueError("REMOTE_URL must look like https://models.example.com/predict/, without a password in it")
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    seconds = float(RuntimeParameters.get("TIMEOUT_SECONDS"))
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    credential = RuntimeParameters.get("REMOTE_TOKEN") if RuntimeParameters.has("REMOTE_TOKEN") else None
    token = credential["apiToken"] if credential else None
    return Remote(partial(kind, url.hostname, url.port, timeout=seconds), url.netloc, path, seconds, token)


def score(data: pd.DataFrame, model: Remote, binary_data: bytes, mimetype: str) -> pd.DataFrame:
    """Send on the bytes that came in, so that no number is read and written on the way."""
    status, body = _ask(model, binary_data, mimetype)
    answer = _json(body)
    if status in PASSED_ON and isinstance(answer, dict) and isinstance(answer.get("message"), str):
        raise CustomHTTPError(answer["message"], status)
    if status != 200:
        raise CustomHTTPError(f"The model at {model.address} answered with status {status}", BAD_GATEWAY)
    if not isinstance(answer, dict) or not isinstance(answer.get("predictions"), list):
        raise CustomHTTPError(f"The model at {model.address} answered without predictions", BAD_GATEWAY)
    return _table(answer)


def _ask(remote: Remote, data: bytes, mimetype: str) -> tuple[int, bytes]:
    headers = {"Content-Type": mimetype, "Accept": "application/json"}
    if remote.token is not None:
        headers["Authorization"] = f"Bearer {remote.token}"
    connection = remote.connect()
    try:
        connection.request("POST", remote.path, data, headers)
        response = connection.getresponse()
        return response.status, response.read()
    except TimeoutError as error:
        words = f"The model at {remote.address} did not answer in {remote.seconds:g} s"
        raise CustomHTTPError(words, GATEWAY_TIMEOUT) from error
    except (OSError, HTTPException) as error:
        raise CustomHTTPError(f"The model at {remote.address} cannot be reached", BAD_GATEWAY) from error
    finally:
        connection.close()


def _json(body: bytes) -> Any:
    """Read an answer; a page of some proxy on the way is no JSON, whatever its status says."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def _table(answer: dict[str, Any]) -> pd.DataFrame:
    """Turn an answer back into the table that the other model's `score` hook returned."""
    rows = answer["predictions"]
    has_labels = bool(rows) and isinstance(rows[0], dict)
    table = pd.DataFrame(rows) if has_labels else pd.DataFrame({"Predictions": rows})
    extra = answer.get("extraModelOutput")
    return table if extra is None else table.join(pd.DataFrame(**extra))
