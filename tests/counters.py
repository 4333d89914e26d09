"""Counters of metrics in a folder of their own."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from prometheus_client import values


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Keep counters that are opened meanwhile in a folder, and forget them; nobody may hold one any longer then."""
    with (
        mock.patch.dict(os.environ, {"PROMETHEUS_MULTIPROC_DIR": str(folder)}),
        mock.patch.object(values, "ValueClass", values.ValueClass),
    ):
        yield
    with warnings.catch_warnings():
        # The library closes its files by forgetting them, when a worker ends.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
