"""Every route answers with and without its slash, and never with a redirect: few clients send a body twice."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response


def spellings(path: str, *, is_prefixed: bool = False) -> tuple[str, ...]:
    """Return a path without and with its slash; behind a prefix that may be no path at all."""
    bare = path.rstrip("/")
    return (bare, bare + "/") if bare or is_prefixed else ("/",)


def add(routes: Blueprint, path: str, endpoint: str, view: Callable[[], Response], *, method: str = "GET") -> None:
    """Add a route in both spellings; both know its method, so that another one is answered with 405."""
    for rule in spellings(path, is_prefixed=bool(routes.url_prefix)):
        routes.add_url_rule(rule, endpoint, view, methods=[method])
