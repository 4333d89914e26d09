"""Buckets of Google Cloud Storage; credentials are found as Google's libraries find them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from gcsfs.core import GCSFileSystem
from gcsfs.retry import HttpError
from google.auth.exceptions import GoogleAuthError

from custom_model_runner.batch.stores.objects import Objects
from custom_model_runner.delivery.fetching import StorageError


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the libraries raise into one cause."""
    try:
        yield
    except (HttpError, GoogleAuthError, aiohttp.ClientError, OSError) as error:
        raise StorageError(f"{type(error).__name__}: {' '.join(str(error).split())}".strip(": ")) from error


STORE = Objects(GCSFileSystem, explained).store
