"""How much a server takes on."""

from __future__ import annotations

from dataclasses import dataclass

from custom_model_runner.options import option
from custom_model_runner.parsers import between, positive, seconds


@dataclass(frozen=True)
class LimitSettings:
    """How much a server takes on, and for how long."""

    threads: int | None = option(
        "--threads",
        metavar="N",
        parse=between(1, 1000),
        help="calls of user code at the same time in one worker (default: 8 where the model allows it, else 1)",
    )
    max_queue: int = option(
        "--max-queue",
        metavar="N",
        parse=between(0, 1000),
        variable="MAX_QUEUE",
        default=64,
        help="calls that may wait in one worker; more are answered 429 (default 64)",
    )
    request_timeout: float = option(
        "--request-timeout",
        metavar="SECONDS",
        parse=seconds(least=0, most=3600),
        variable="REQUEST_TIMEOUT",
        parameter="DRUM_CLIENT_REQUEST_TIMEOUT",
        default=0.0,
        help="seconds after which a request is answered 504 if its answer has not begun; 0 for no limit (default 0)",
    )
    receive_timeout: float = option(
        "--receive-timeout",
        metavar="SECONDS",
        parse=seconds(least=1, most=3600),
        variable="RECEIVE_TIMEOUT",
        default=30.0,
        help="seconds for the head of a request, for each MiB of its body, and to read on of its answer (default 30)",
    )
    worker_connections: int = option(
        parameter="DRUM_WORKER_CONNECTIONS",
        parse=between(1, 10000),
        default=1000,
        help="connections that a worker holds at a time, idle ones too; never fewer than 100 more than it has threads",
    )
    max_body_bytes: int = option(
        "--max-body-bytes",
        metavar="N",
        parse=positive,
        default=1 << 30,
        help="largest request body, in bytes (default 1 GiB)",
    )
    max_decoded_bytes: int = option(
        "--max-decoded-bytes",
        metavar="N",
        parse=positive,
        default=1 << 30,
        help="most bytes that a compressed body may decode to (default 1 GiB)",
    )
