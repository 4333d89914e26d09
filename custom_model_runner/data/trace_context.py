"""The header `traceparent` of W3C Trace Context, https://www.w3.org/TR/trace-context/."""

from __future__ import annotations

import re

FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.ASCII)


def read(text: str) -> tuple[str, str] | None:
    """Return the trace's id and the id of the caller's span, or None where the header is to be ignored."""
    match = FORM.fullmatch(text.strip())
    if match is None:
        return None
    version, trace, span, rest = match.groups()
    is_broken = version == "ff" or (version == "00" and rest) or not trace.strip("0") or not span.strip("0")
    return None if is_broken else (trace, span)
