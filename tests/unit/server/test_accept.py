"""Which format an `Accept` header gets."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from custom_model_runner.server import accept

OFFERED = ("application/json", "text/csv", "application/x-ndjson", "application/vnd.apache.parquet")


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/*", "application/json"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "application/json"),
        ("text/csv, application/json", "application/json"),
        ("image/png", "application/json"),
        ("junk", "application/json"),
        ("application/json;q=0", "application/json"),
        ("*/*;q=0", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("text/*", "text/csv"),
        ("text/csv; charset=utf-8; header=present", "text/csv"),
        ("text/csv, */*;q=0.1", "text/csv"),
        ("application/json;q=0.4, text/csv;q=0.5", "text/csv"),
        ("application/json;q=0, */*", "text/csv"),
        ("text/csv;q=0.9, application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("image/png, application/x-ndjson;q=0.1", "application/x-ndjson"),
    ],
)
def test_the_most_wanted_format_that_is_offered_is_chosen_else_the_first(header: str, chosen: str) -> None:
    assert accept.choose(parse_accept_header(header, MIMEAccept), OFFERED) == chosen
