"""How much a server takes on."""

from __future__ import annotations

from dataclasses import dataclass

from custom_model_runner.options import option
from custom_model_runner.parsers import between, positive


@dataclass(frozen=True)
class LimitSettings:
    """How much a server takes on, and for how long."""

    threads: int | None = option(
        "--threads",
        metavar="N",
        parse=positive,
        help="calls of user code at the same time in one worker (default 1, or what the metadata allows)",
    )
    max_queue: int = option(
        "--max-queue",
        metavar="N",
        parse=between(0, 1000),
        variable="MAX_QUEUE",
        default=64,
        help="calls that may wait in one worker; more are answered 429 (default 64)",
    )
    request_timeout: int = option(
        "--request-timeout",
        metavar="SECONDS",
        parse=between(0, 3600),
        variable="REQUEST_TIMEOUT",
        parameter="DRUM_CLIENT_REQUEST_TIMEOUT",
        default=0,
        help="seconds after which a request is answered 504 if its answer has not begun; 0 for no limit (default 0)",
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
