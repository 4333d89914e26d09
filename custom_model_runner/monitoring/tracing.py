"""Spans of predictions, sent by OpenTelemetry's SDK, which reads the variables that are its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from custom_model_runner import __version__
from custom_model_runner.data.exchange import Exchange, Watcher

# The name of the span for each route; the others, such as probes, have none.
SPANS = {
    "/predict": "drum.invocations",
    "/predictions": "drum.invocations",
    "/invocations": "drum.invocations",
    "/transform": "drum.transform",
    "/predictUnstructured": "drum.predictUnstructured",
    "/predictionsUnstructured": "drum.predictUnstructured",
    "/chat/completions": "drum.chat.completions",
    "/v1/chat/completions": "drum.chat.completions",
}
STREAM = "drum.chat.completions.stream"
# Headers that carry the trace, as WSGI spells them.
CARRIERS = {"HTTP_TRACEPARENT": "traceparent", "HTTP_TRACESTATE": "tracestate", "HTTP_BAGGAGE": "baggage"}
CONSUMER = {
    "HTTP_X_DATAROBOT_CONSUMER_ID": "gen_ai.request.consumer_id",
    "HTTP_X_DATAROBOT_CONSUMER_TYPE": "gen_ai.request.consumer_type",
}
NANOSECONDS = 1e9
# What a service is called that nobody has named.
UNNAMED = "unknown_service"


@dataclass(frozen=True)
class Tracing:
    """Who watches requests to make spans of them, and how to send the last of them within some seconds."""

    watcher: Watcher
    close: Callable[[float], None]


def open_tracing(service: str) -> Tracing:
    """Begin to send spans from this process; call it after the fork, since a thread sends them.

    The provider is the one that user code finds, so that its spans are children of ours.
    """
    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, UNNAMED)).startswith(UNNAMED):
        resource = resource.merge(Resource({SERVICE_NAME: service}))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    tracer = provider.get_tracer("drum", __version__)
    return Tracing(Watcher(_end, lambda exchange: _begin(tracer, exchange)), lambda seconds: _close(provider, seconds))


def _begin(tracer: trace.Tracer, exchange: Exchange) -> None:
    """Start the span of a request, in whose thread it becomes the current one."""
    name = SPANS.get(exchange.route)
    if name is None:
        return
    headers = exchange.headers
    parent = propagate.extract(
        {name: headers[key] for key, name in CARRIERS.items() if key in headers}, context.Context()
    )
    attributes = {
        "http.request.method": exchange.method,
        "http.route": exchange.route,
        "drum.request_id": exchange.request_id,
        **{name: headers[key] for key, name in CONSUMER.items() if key in headers},
    }
    begun = _epoch(exchange.stages.start, exchange)
    span = tracer.start_span(name, parent, SpanKind.SERVER, attributes, start_time=begun)
    ids = span.get_span_context()
    exchange.trace = trace.format_trace_id(ids.trace_id), trace.format_span_id(ids.span_id)
    exchange.span = span, tracer, context.attach(trace.set_span_in_context(span, parent)), threading.get_ident()


def _end(exchange: Exchange) -> None:
    """End the span of a request; each of its stages becomes a child."""
    if exchange.span is None:
        return
    span, tracer, token, thread = exchange.span
    # A request whose time is over is ended by another.
    if thread == threading.get_ident():
        context.detach(token)
    if span.is_recording():
        _describe(span, exchange)
        inside = trace.set_span_in_context(span)
        for stage, begin, end in exchange.stages.spans():
            name = STREAM if stage == "stream" else f"drum.{stage}"
            child = tracer.start_span(name, inside, start_time=_epoch(begin, exchange))
            child.end(_epoch(end, exchange))
    span.end()


def _describe(span: Span, exchange: Exchange) -> None:
    span.set_attributes({"http.response.status_code": exchange.status, **exchange.attributes})
    if exchange.failure is not None:
        span.set_attribute("error.type", exchange.failure)
    if exchange.status >= 500:
        span.set_status(Status(StatusCode.ERROR))


def _epoch(moment: float, exchange: Exchange) -> int:
    """Return a moment of the stages' clock in nanoseconds since 1970."""
    return time.time_ns() - int((exchange.stages.clock() - moment) * NANOSECONDS)


def _close(provider: TracerProvider, seconds: float) -> None:
    """Send what is left; a receiver that does not answer is not waited for any longer."""
    sender = threading.Thread(target=provider.shutdown, daemon=True)
    sender.start()
    sender.join(seconds)
