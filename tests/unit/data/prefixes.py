"""Parquet files whose texts are stored by what they begin with in common: pyarrow 10 reads them and cannot write them.

Each is `{"t": TEXTS}`, written by `pyarrow.parquet.write_table` with `use_dictionary=False`, `store_schema=False`,
`compression="zstd"` and `column_encoding={"t": "DELTA_BYTE_ARRAY"}`.
"""

from __future__ import annotations

from base64 import b64decode

LONG = "x" * 10_000
# [LONG] * 1000
LONG_TEXTS = b64decode(
    "UEFSMRUAFZ6iARWOASwV0A8VDhUGFQYcNgAAAAAotS/9YI8n7QEAlAIDAAAA0A8BgAEE6AcAAA4AAAAQJwCgnAGfnAEODg4OAADE"
    "CXFCnBAneAUADAfnhdIiQaqKIg2tXRNgAhUEGSw1ABgGc2NoZW1hFQIAFQwlAhgBdCUATBwAAAAW0A8ZHBkcJgAcFQwZJQYOGRgB"
    "dBUMFtAPFtCiARbAASYIPDYAABkcFQAVDhUCADwWoJwBGQYZJgDQDwAAABbQogEW0A8mCBbAAQAoIHBhcnF1ZXQtY3BwLWFycm93"
    "IHZlcnNpb24gMjYuMC4xGRwcAAAAkgAAAFBBUjE="
)
# ["a", None, "é", "a"] * 10
SHORT_TEXTS = b64decode(
    "UEFSMRUAFZoBFYIBLBVQFQ4VBhUGHDYUKALDqRgBYRERAAAAKLUv/SBNxQEAFAMGAAAAC93d3d3dgAEEHgABAgAAACVJkiRJkiQB"
    "gAEEHgIBAgAAAMIwDMMwDMMAYcOpAQAh46AVBBksNQAYBnNjaGVtYRUCABUMJQIYAXQlAEwcAAAAFlAZHBkcJgAcFQwZJQYOGRgB"
    "dBUMFlAW2gEWwgEmCDw2FCgCw6kYAWEREQAZHBUAFQ4VAgA8Fj4ZBhkmFDwAAAAW2gEWUCYIFsIBACggcGFycXVldC1jcHAtYXJy"
    "b3cgdmVyc2lvbiAyNi4wLjEZHBwAAACTAAAAUEFSMQ=="
)
