"""Containers of Azure Blob Storage; account and credential come from the variables `AZURE_STORAGE_...`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from adlfs import AzureBlobFileSystem
from azure.core.exceptions import AzureError

from custom_model_runner.batch.stores.objects import Objects
from custom_model_runner.delivery.fetching import StorageError


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the libraries raise into one cause; a missing account is a ValueError, a refused block RuntimeError."""
    try:
        yield
    except (AzureError, OSError, ValueError, RuntimeError) as error:
        # What follows its first line is XML.
        first, _, _ = str(error).partition("\n")
        raise StorageError(f"{type(error).__name__}: {first}".strip(": ")) from error


STORE = Objects(AzureBlobFileSystem, explained).store
