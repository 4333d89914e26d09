"""What every answer carries."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from custom_model_runner import __version__


def common(request_id: str) -> Iterable[tuple[str, str]]:
    """Return the headers of every answer; the underscore is how the original spells the first."""
    return ("X-Request-ID", request_id), ("X_Request_ID", request_id), ("X-Drum-Version", __version__)


def new_request_id() -> str:
    """Return an id for a request that came without."""
    return str(uuid.uuid4())


def server_timing(seconds: Mapping[str, float], total: float) -> str:
    """Return the value of `Server-Timing`, in milliseconds, https://www.w3.org/TR/server-timing/."""
    return ", ".join(
        [*(f"{name};dur={1e3 * took:.3f}" for name, took in seconds.items()), f"total;dur={1e3 * total:.3f}"]
    )
