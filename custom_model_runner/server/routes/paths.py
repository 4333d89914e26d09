"""Every route answers with and without its slash, and never with a redirect: few clients send a body twice."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response


def add(routes: Blueprint, path: str, endpoint: str, view: Callable[[], Response], *, method: str = "GET") -> None:
    """Add a route in both spellings; both know its method, so that another one is answered with 405."""
    bare = path.rstrip("/")
    for rule in (bare, bare + "/") if bare or routes.url_prefix else ("/",):
        routes.add_url_rule(rule, endpoint, view, methods=[method])
