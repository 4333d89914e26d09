"""Spans of a real server, received over OTLP/HTTP as a collector does."""

from __future__ import annotations

import gzip
import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .conftest import serve

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-ID": "r1", "X-DataRobot-Consumer-Id": "me"}
SOURCE = """
import logging
from opentelemetry import trace

def score(data, model, **kwargs):
    with trace.get_tracer("mine").start_as_current_span("my step"):
        if "bad" in data:
            raise ValueError("no")
        logging.getLogger("mine").warning("scoring")
        return data[["x"]]

def chat(params, model):
    for word in ("a", "b"):
        yield {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": word}}]}
"""


@dataclass
class Collector:
    """What a receiver has got: each span, and the service it is of."""

    port: int = 0
    spans: list[tuple[str, Any]] = field(default_factory=list)

    def named(self, name: str) -> list[Any]:
        return [span for _, span in list(self.spans) if span.name == name]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Receive spans on the loopback interface."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                names = {one.key: one.value.string_value for one in group.resource.attributes}
                collector.spans += [
                    (names["service.name"], span) for scope in group.scope_spans for span in scope.spans
                ]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield collector
        server.shutdown()


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "ships"
    path.mkdir()
    (path / "custom.py").write_text(SOURCE)
    return path


def test_predictions_are_spans_of_the_callers_trace_and_what_hooks_do_is_inside(folder: Path) -> None:
    with collecting() as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}
        args = ["--target-type", "regression", "--max-workers", "2", "--log-format", "json"]
        with serve(folder, *args, env=env) as server:
            assert server.post("/predict/", "x\n1\n", "text/csv", headers=HEADERS).status_code == 200
            assert server.post("/predict/", "x,bad\n1,2\n", "text/csv").status_code == 500
            server.post("/v1/chat/completions", json.dumps({"model": "m1", "messages": []}), "application/json")
            server.get("/health/")
            log = server.log
            logged = [json.loads(line) for line in log.read_text().splitlines()]
        # The server has ended: what was left has been sent.
        good, bad = sorted(collector.named("drum.invocations"), key=lambda span: bool(span.status.code))
        (chat,) = collector.named("drum.chat.completions")
        assert {service for service, _ in collector.spans} == {"ships"}

    assert (good.trace_id.hex(), good.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(good) == {
        "http.request.method": "POST",
        "http.route": "/predict",
        "http.response.status_code": 200,
        "drum.request_id": "r1",
        "gen_ai.request.consumer_id": "me",
    }
    inside = [span for _, span in collector.spans if span.parent_span_id == good.span_id]
    assert [span.name for span in sorted(inside, key=lambda span: span.start_time_unix_nano)] == [
        "drum.receive",
        "drum.decode",
        "drum.queue",
        "drum.score",
        "my step",
        "drum.encode",
    ]
    assert all(good.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano for span in inside)
    assert all(span.end_time_unix_nano <= good.end_time_unix_nano + 1_000_000 for span in inside)
    assert (attributes(bad)["error.type"], bad.status.code) == ("UserCodeError", 2)
    assert [span.parent_span_id for span in collector.named("drum.chat.completions.stream")] == [chat.span_id]
    assert attributes(chat)["gen_ai.request.model"] == "m1"
    # Nobody asks for spans of probes.
    assert all(span.name.startswith(("drum.", "my ")) for _, span in collector.spans)
    assert not collector.named("drum.health")

    (line,) = [line for line in logged if line["logger"] == "mine"]
    assert (line["request_id"], line["trace_id"], line["span_id"]) == ("r1", TRACE, good.span_id.hex())


def test_what_is_left_is_sent_though_a_call_outlasts_the_grace_period(tmp_path: Path) -> None:
    source = "import time\ndef score(data, model, **kwargs):\n    time.sleep(data['x'][0])\n    return data\n"
    (tmp_path / "custom.py").write_text(source)
    with collecting() as collector, ThreadPoolExecutor(1) as client:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            # Nothing is sent before the end.
            "OTEL_BSP_SCHEDULE_DELAY": "600000",
            "MLOPS_RUNTIME_PARAM_DRUM_GUNICORN_GRACEFUL_TIMEOUT": json.dumps({"type": "numeric", "payload": 1}),
        }
        with serve(tmp_path, "--target-type", "regression", env=env) as server:
            assert server.post("/predict/", "x\n0\n", "text/csv").status_code == 200
            slow = client.submit(server.post, "/predict/", "x\n60\n", "text/csv")
            while "drum_calls_in_flight 1.0" not in server.get("/metrics").text:
                assert not slow.done(), slow.result().text
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == 0
        assert isinstance(slow.exception(10), requests.ConnectionError)
        assert len(collector.named("drum.invocations")) == 1


def test_a_collector_that_is_not_there_changes_nothing(folder: Path) -> None:
    with collecting() as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}
    with serve(folder, "--target-type", "regression", env=env) as server:
        for _ in range(20):
            assert server.post("/predict/", "x\n1\n", "text/csv").status_code == 200


def test_nothing_is_sent_where_that_is_switched_off(folder: Path) -> None:
    with collecting() as collector:
        parameter = json.dumps({"type": "boolean", "payload": True})
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
            "MLOPS_RUNTIME_PARAM_OTEL_SDK_DISABLED": parameter,
        }
        with serve(folder, "--target-type", "regression", env=env) as server:
            assert server.post("/predict/", "x\n1\n", "text/csv").status_code == 200
        assert collector.spans == []
