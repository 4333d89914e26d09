"""Buckets of S3, and of all that speaks like it; credentials and endpoint come from the usual variables and files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from s3fs import S3FileSystem
from s3fs.utils import FileExpired

from custom_model_runner.batch.stores.objects import Objects
from custom_model_runner.batch.stores.store import Changed
from custom_model_runner.delivery import s3
from custom_model_runner.delivery.fetching import StorageError


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the libraries raise into one cause."""
    try:
        with s3.explained():
            yield
    except FileExpired as error:
        raise Changed("it is another one now") from error
    except OSError as error:
        raise StorageError(error.strerror or str(error)) from error


STORE = Objects(S3FileSystem, explained, {"config_kwargs": {**s3.CONNECTION, "retries": s3.RETRIES}}).store
