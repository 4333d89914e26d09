"""Parquet files that pyarrow 10 reads and cannot write."""

from __future__ import annotations

from base64 import b64decode

LONG = "x" * 10_000
# Texts that are stored by what they begin with in common. Each is `{"t": TEXTS}`, written by
# `pyarrow.parquet.write_table` with `use_dictionary=False`, `column_encoding={"t": "DELTA_BYTE_ARRAY"}`,
# `compression="zstd"` and `store_schema=False`.
# [LONG] * 1000
LONG_TEXTS = b64decode(
    "UEFSMRUAFZ6iARWOASwV0A8VDhUGFQYcNgAAAAAotS/9YI8n7QEAlAIDAAAA0A8BgAEE6AcAAA4AAAAQJwCgnAGfnAEODg4OAADE"
    "CXFCnBAneAUADAfnhdIiQaqKIg2tXRNgAhUEGSw1ABgGc2NoZW1hFQIAFQwlAhgBdCUATBwAAAAW0A8ZHBkcJgAcFQwZJQYOGRgB"
    "dBUMFtAPFtCiARbAASYIPDYAABkcFQAVDhUCADwWoJwBGQYZJgDQDwAAABbQogEW0A8mCBbAAQAoIHBhcnF1ZXQtY3BwLWFycm93"
    "IHZlcnNpb24gMjYuMC4xGRwcAAAAkgAAAFBBUjE="
)
# ["x" * 1_000_000] * 100
HUGE_TEXTS = b64decode(
    "UEFSMRUAFd6PehXOASwVyAEVDhUGFQYcNgAAAAAotS/9gEjvQw8A9AEAxAIDAAAAyAEBgAEEZAAAFAAAAEBCDwCAAQRkgIl6/4h6"
    "FBQUFAAAACT0QEIPeAQATf54LlW1UKCNQrWJAiYCABB4AgAQeAIAEHgCABB4AgAQeAIAEHh7Hwp4FQQZLDUAGAZzY2hlbWEVAgAV"
    "DCUCGAF0JQBMHAAAABbIARkcGRwmABwVDBklBg4ZGAF0FQwWyAEWkJB6FoACJgg8NgAAGRwVABUOFQIAPBaAiXoZBhkmAMgBAAAA"
    "FpCQehbIASYIFoACACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZHBwAAACSAAAAUEFSMQ=="
)
# ["a", None, "é", "a"] * 10
SHORT_TEXTS = b64decode(
    "UEFSMRUAFZoBFYIBLBVQFQ4VBhUGHDYUKALDqRgBYRERAAAAKLUv/SBNxQEAFAMGAAAAC93d3d3dgAEEHgABAgAAACVJkiRJkiQB"
    "gAEEHgIBAgAAAMIwDMMwDMMAYcOpAQAh46AVBBksNQAYBnNjaGVtYRUCABUMJQIYAXQlAEwcAAAAFlAZHBkcJgAcFQwZJQYOGRgB"
    "dBUMFlAW2gEWwgEmCDw2FCgCw6kYAWEREQAZHBUAFQ4VAgA8Fj4ZBhkmFDwAAAAW2gEWUCYIFsIBACggcGFycXVldC1jcHAtYXJy"
    "b3cgdmVyc2lvbiAyNi4wLjEZHBwAAACTAAAAUEFSMQ=="
)


def without_arrow_schema(whole: bytes) -> bytes:
    """Return a file as those write it who know nothing of Arrow: its metadata have no field 5."""
    length = int.from_bytes(whole[-8:-4], "little")
    pages, metadata = whole[: -8 - length], whole[-8 - length : -8]
    # A list of one struct of two texts; then comes field 6, which counts from the field before it.
    start = metadata.index(b"\x19\x1c\x18\x0cARROW:schema\x18")
    end = metadata.index(b"\0\x18", start) + 2
    metadata = metadata[:start] + b"\x28" + metadata[end:]
    return pages + metadata + len(metadata).to_bytes(4, "little") + whole[-4:]
