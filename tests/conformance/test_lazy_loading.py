"""A server's folder gets its files from storage once, however many workers open it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..storage import Store, Way, store
from .conftest import serve

CUSTOM = """
import pathlib
TEXT = pathlib.Path(__file__).with_name("label.txt").read_text()

def score_unstructured(model, data, **kwargs):
    return TEXT
"""


@pytest.fixture(scope="module")
def objects() -> Iterator[Store]:
    with store() as opened:
        opened.put("models")
        opened.put("models/label.txt", "from storage")
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "custom.py").write_text(CUSTOM)
    return tmp_path


def variables(url: str, key: str) -> dict[str, str]:
    """Return an order as a platform gives it, in snake case this time."""
    order = {
        "files": [{"remote_path": key, "local_path": "label.txt", "repository_id": "R"}],
        "repositories": [
            {"repository_id": "R", "bucket_name": "models", "credential_id": "c1", "endpoint_url": url},
        ],
    }
    secret = {"credential_type": "s3", "aws_access_key_id": "a-key", "aws_secret_access_key": "its-half"}
    return {"MLOPS_LAZY_LOADING_DATA": json.dumps(order), "MLOPS_REPOSITORY_SECRET_C1": json.dumps(secret)}


def test_files_are_fetched_once_for_all_workers(objects: Store, folder: Path) -> None:
    with (
        Way(objects).open() as way,
        serve(folder, "--max-workers", "2", env=variables(way.url, "label.txt")) as server,
    ):
        answers = {server.post("/predictUnstructured/", "", "text/plain").text for _ in range(8)}
        asked = list(way.asked)
    assert answers == {"from storage"}
    assert sorted(line.split()[0] for line in asked) == ["GET", "HEAD"]


def test_the_error_server_tells_what_could_not_be_fetched(objects: Store, folder: Path) -> None:
    with serve(folder, "--with-error-server", env=variables(objects.url, "gone.txt")) as server:
        answer = server.get("/ping/")
    assert answer.status_code == 513
    assert "cannot be fetched as 'gone.txt' from the repository 'R'" in answer.json()["message"]
