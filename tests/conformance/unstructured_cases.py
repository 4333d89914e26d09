"""One table of unstructured calls: what is sent, what the hook sees, what it returns, what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

# Evaluates the query parameter `return` if there is one; else tells what it was given.
HOOK = """
import json
from datarobot_drum import CustomHTTPError

def score_unstructured(model, data, **kwargs):
    query = kwargs["query"]
    if "return" in query:
        value = eval(query["return"])
        if isinstance(value, BaseException):
            raise value
        return value
    headers = kwargs.get("headers")
    return json.dumps({
        "type": type(data).__name__,
        "data": data if isinstance(data, str) else data.decode("latin-1"),
        "query": {name: query[name] for name in query},
        "words": {name: kwargs[name] for name in ("mimetype", "charset") if name in kwargs},
        "names": sorted(kwargs),
        "headers": headers and {"type": type(headers).__name__, "mark": headers.get("X-Mark")},
    })
"""
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"
UTF8 = {"charset": "utf8"}
EXIT_CODES = {200: 0, 422: 6, 500: 5}


@dataclass(frozen=True)
class Case:
    """One call, over HTTP and in batch."""

    name: str
    content_type: str | None = None
    body: bytes = b"abc"
    query: str = ""
    status: int = 200
    data: str | bytes = "abc"
    words: dict[str, str] = field(default_factory=lambda: {"mimetype": "text/plain", **UTF8})
    seen_query: dict[str, str] = field(default_factory=dict)
    seen_query_in_batch: dict[str, str] | None = None
    answer_type: str | None = None
    answer: bytes = b""


def text(name: str, content_type: str | None, body: bytes, data: str, **words: str) -> Case:
    """The hook gets text."""
    return Case(name, content_type, body, data=data, words=words)


def raw(name: str, content_type: str, mimetype: str, body: bytes = b"\xff\x00", **charset: str) -> Case:
    """The hook gets the bytes as they came, and a charset only if one was sent."""
    return Case(name, content_type, body, data=body, words={"mimetype": mimetype, **charset})


def queried(name: str, query: str, seen: dict[str, str], in_batch: dict[str, str] | None = None) -> Case:
    """The hook gets a query."""
    return Case(name, query=query, seen_query=seen, seen_query_in_batch=in_batch)


def returned(expression: str, answer_type: str, answer: bytes) -> Case:
    """What the hook returns comes back."""
    return Case(
        f"returns {expression}",
        query=urlencode({"return": expression}),
        answer_type=answer_type,
        answer=answer,
    )


def refused(name: str, content_type: str, body: bytes) -> Case:
    """The payload cannot become what the hook is owed."""
    return Case(name, content_type, body, status=422)


def failed(expression: str) -> Case:
    """What the hook does breaks its contract."""
    return Case(f"fails with {expression}", query=urlencode({"return": expression}), status=500)


E_ACUTE = b"\xc3\xa9"
PLAIN = {"mimetype": "text/plain"}

CASES = [
    text("no content type", None, E_ACUTE, "é", **PLAIN, charset="utf8"),
    text("empty content type", "", E_ACUTE, "é", **PLAIN, charset="utf8"),
    text("text", "text/plain", E_ACUTE, "é", **PLAIN, charset="utf8"),
    text("text in capitals", "TEXT/Plain", E_ACUTE, "é", **PLAIN, charset="utf8"),
    text("spelling utf8", "text/plain; charset=utf8", E_ACUTE, "é", **PLAIN, charset="utf8"),
    text("spelling utf-8", "text/plain; charset=utf-8", E_ACUTE, "é", **PLAIN, charset="utf-8"),
    text("spelling UTF-8", "text/plain;charset=UTF-8", E_ACUTE, "é", **PLAIN, charset="UTF-8"),
    text("quoted charset", 'text/plain; charset="utf-8"', E_ACUTE, "é", **PLAIN, charset="utf-8"),
    text("parameter in capitals", "text/plain; CHARSET=latin-1", b"\xe9", "é", **PLAIN, charset="latin-1"),
    text("csv", "text/csv; header=present", b"a,b\r\n", "a,b\r\n", mimetype="text/csv", charset="utf8"),
    text("latin-1", "text/csv; charset=latin-1", b"\xe9", "é", mimetype="text/csv", charset="latin-1"),
    text("json", "application/json", b'{"a":1}', '{"a":1}', mimetype="application/json", charset="utf8"),
    text(
        "json in UTF-16",
        "Application/JSON; charset=utf-16-le",
        "é".encode("utf-16-le"),
        "é",
        mimetype="application/json",
        charset="utf-16-le",
    ),
    text("empty body", None, b"", "", **PLAIN, charset="utf8"),
    text("line ends stay", "text/plain", b"a\r\nb\n", "a\r\nb\n", **PLAIN, charset="utf8"),
    raw("octets", "application/octet-stream", "application/octet-stream"),
    raw("octets in capitals", "Application/Octet-Stream", "application/octet-stream"),
    raw("empty octets", "application/octet-stream", "application/octet-stream", b""),
    raw("octets with a charset", "application/octet-stream; charset=Latin-1", BINARY, charset="Latin-1"),
    raw("octets with an unknown charset", "image/png; charset=no-such", "image/png", charset="no-such"),
    raw("a form", "application/x-www-form-urlencoded", "application/x-www-form-urlencoded", b"a=1&b=2"),
    raw("multipart", "multipart/form-data; boundary=b", "multipart/form-data", b"--b\r\n\r\nx\r\n--b--\r\n"),
    raw("other json", "application/problem+json", "application/problem+json", b"{}"),
    raw("xml", "application/xml; version=1", "application/xml", b"<a/>"),
    raw("a junk token", "junk", "junk"),
    queried("one value each", "a=1&b=2", {"a": "1", "b": "2"}),
    queried("an encoded value", "q=%C3%A9+x%26", {"q": "é x&"}),
    queried("duplicates", "a=1&a=2", {"a": "1"}, in_batch={"a": "2"}),
    queried("blanks", "a=&b=1", {"a": "", "b": "1"}, in_batch={"b": "1"}),
    returned("'é'", TEXT, E_ACUTE),
    returned("''", TEXT, b""),
    returned("b'\\xff\\x00'", BINARY, b"\xff\x00"),
    returned("b''", BINARY, b""),
    returned("('é', None)", TEXT, E_ACUTE),
    returned("(b'\\xff', None)", BINARY, b"\xff"),
    returned("('é', {})", TEXT, E_ACUTE),
    returned("(b'\\xff', {})", BINARY, b"\xff"),
    returned("('é', {'charset': 'latin-1'})", "text/plain; charset=latin-1", b"\xe9"),
    returned("('{}', {'mimetype': 'application/json'})", "application/json; charset=utf-8", b"{}"),
    returned("('é', {'mimetype': 'text/html', 'charset': 'utf-16-le'})", "text/html; charset=utf-16-le", b"\xe9\x00"),
    returned("(b'\\xff', {'mimetype': 'image/png'})", "image/png", b"\xff"),
    returned("(b'<p>', {'mimetype': 'text/html'})", "text/html", b"<p>"),
    returned("(b'\\xe9', {'charset': 'latin-1'})", "application/octet-stream; charset=latin-1", b"\xe9"),
    returned("'a\\r\\nb\\n'", TEXT, b"a\r\nb\n"),
    refused("text that is not UTF-8", "text/plain", b"\xff"),
    refused("text that is not its charset", "text/plain; charset=utf-8", b"\xe9"),
    refused("json that is not ASCII", "application/json; charset=ascii", E_ACUTE),
    refused("an unknown charset", "text/plain; charset=no-such-charset", b"abc"),
    refused("a codec that is no charset", "text/plain; charset=hex", b"6162"),
    failed("42"),
    failed("{'a': 1}"),
    failed("['a']"),
    failed("('a',)"),
    failed("('a', {}, {})"),
    failed("('a', 'text/plain')"),
    failed("(1, {})"),
    failed("('a', {'charset': 'no-such-charset'})"),
    failed("('\\u20ac', {'charset': 'ascii'})"),
    failed("('a', {'charset': 5})"),
    failed("ValueError('broken')"),
    failed("SystemExit('bye')"),
]
