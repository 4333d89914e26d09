"""Buckets of S3, and of all that speaks like it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from s3fs import S3FileSystem

from custom_model_runner.credentials import S3Secret
from custom_model_runner.delivery.fetching import LANES, Bucket, Stat, StorageError
from custom_model_runner.delivery.orders import Repository

# Seconds, and how often a call is tried; s3fs goes on where a transfer broke off.
CONNECTION = {"connect_timeout": 10, "read_timeout": 60, "max_pool_connections": LANES}
RETRIES = {"mode": "standard", "max_attempts": 3}
# Without the right to list a bucket, what is not in it is forbidden too.
REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AccessDenied", "403")


@asynccontextmanager
async def open_bucket(repository: Repository) -> AsyncIterator[Bucket]:
    """Open a bucket with the repository's credential and close its connections at the end."""
    credential = repository.credential
    if not isinstance(credential, S3Secret) or not (credential.aws_access_key_id and credential.aws_secret_access_key):
        raise StorageError(f"The credential of the repository {repository.name!r} lacks the access key or its secret")
    system = S3FileSystem(
        asynchronous=True,
        skip_instance_cache=True,
        use_listings_cache=False,
        # One stream for each file: it goes on where it broke off, and holds little of the file in memory.
        max_concurrency=1,
        key=credential.aws_access_key_id,
        secret=credential.aws_secret_access_key,
        token=credential.aws_session_token,
        endpoint_url=repository.endpoint,
        client_kwargs={"verify": repository.verifies_certificate},
        config_kwargs={**CONNECTION, "retries": RETRIES},
    )

    async def stat(key: str) -> Stat:
        with explained():
            info = await system._info(f"{repository.bucket}/{key}")
        if info["type"] != "file":
            raise StorageError("it is a folder")
        return Stat(info["size"], info["LastModified"].timestamp())

    async def copy(key: str, path: Path) -> None:
        with explained():
            await system._get_file(f"{repository.bucket}/{key}", str(path))

    with explained():
        session = await system.set_session()
    try:
        yield Bucket(stat, copy)
    finally:
        await session.close()


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the libraries raise into one cause; what goes wrong with a file on disk passes."""
    try:
        yield
    except (BotoCoreError, ClientError, aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        raise StorageError(_cause(error)) from error
    except OSError as error:
        if isinstance(error.__cause__, ClientError):
            raise StorageError(_cause(error.__cause__)) from error
        if isinstance(error, FileNotFoundError) and error.errno is None:
            raise StorageError("there is no such file") from error
        raise


def _cause(error: Exception) -> str:
    if not isinstance(error, ClientError):
        return f"{type(error).__name__}: {' '.join(str(error).split())}".strip(": ")
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    refused = "the credential is refused, or may not see this file: " if code in REFUSED else ""
    return f"{refused}{code} {message}".strip()
