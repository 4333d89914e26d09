"""One request and its answer."""

from __future__ import annotations

from custom_model_runner.data.exchange import Exchange

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_log_line_tells_the_request_and_the_trace_that_the_caller_named() -> None:
    assert Exchange("GET", "/", "r1", {}).context() == {"request_id": "r1"}
    assert Exchange("GET", "/", "r1", {"HTTP_TRACEPARENT": PARENT}).context() == {
        "request_id": "r1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
    }


def test_a_span_of_our_own_stands_before_that_of_the_caller() -> None:
    exchange = Exchange("GET", "/", "r1", {"HTTP_TRACEPARENT": PARENT}, trace=("t", "s"))
    assert exchange.context() == {"request_id": "r1", "trace_id": "t", "span_id": "s"}
