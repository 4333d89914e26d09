"""Who may ask a server, and how what they say is kept from others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from custom_model_runner import api_keys
from custom_model_runner.options import option
from custom_model_runner.parsers import readable_file


@dataclass(frozen=True)
class SafetySettings:
    """Who may ask a server, and how what they say is kept from others."""

    api_key_file: Path | None = option(
        "--api-key-file",
        metavar="FILE",
        parse=api_keys.file_with_keys,
        variable="API_KEY_FILE",
        help="file of API keys, one a line: whoever asks must send one of them; changes count within a second",
    )
    api_keys: tuple[str, ...] = option(
        variable="API_KEYS",
        parse=api_keys.checked,
        takes_many=True,
        is_secret=True,
        default=(),
        help="API keys, separated by blanks, that are valid besides those of the file",
    )
    open_metrics: bool = option(
        "--open-metrics",
        is_switch=True,
        default=False,
        variable="OPEN_METRICS",
        help="answer /metrics without an API key on the main port too",
    )
    certfile: Path | None = option(
        "--certfile",
        metavar="FILE",
        parse=readable_file,
        variable="CERTFILE",
        help="certificate chain in PEM: the main port then speaks TLS only",
    )
    keyfile: Path | None = option(
        "--keyfile",
        metavar="FILE",
        parse=readable_file,
        variable="KEYFILE",
        help="private key of the certificate in PEM, if it is in a file of its own",
    )
