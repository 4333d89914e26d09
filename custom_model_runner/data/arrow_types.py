"""Arrow types that must not be opened: bytes from anywhere could run code by them (CVE-2023-47248)."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

PICKLED = "arrow.py_extension_type"
FIRST_SAFE_PYARROW = 15


class Forbidden(pa.ExtensionType):  # type: ignore[misc]
    """What stands in for the type that old versions of pyarrow unpickle."""

    def __init__(self) -> None:
        pa.ExtensionType.__init__(self, pa.null(), PICKLED)

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: Any, serialized: bytes) -> Forbidden:
        raise ValueError("pickled Arrow types are not opened")


def forbid_pickles() -> None:
    """Make pyarrow refuse pickled types, where its version does not do so by itself."""
    if int(pa.__version__.split(".")[0]) < FIRST_SAFE_PYARROW:
        pa.unregister_extension_type(PICKLED)
        pa.register_extension_type(Forbidden())
