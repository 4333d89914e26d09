"""What a client wants to get: one of the formats that predictions are written in."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import MIMEAccept

ANY = "*/*"


def choose(accepted: MIMEAccept, offered: Sequence[str]) -> str:
    """Return the media type that is wanted most, the first where the client does not mind or none can be met."""
    # Parameters such as a charset say nothing about the format.
    wanted = [(value.partition(";")[0].strip(), quality) for value, quality in accepted]
    if not wanted or wanted == [(ANY, 1)]:
        return offered[0]
    found: str = MIMEAccept(wanted).best_match(offered, default=offered[0])
    return found
