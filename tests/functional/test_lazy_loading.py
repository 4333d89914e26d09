"""Files from a real store that speaks like S3, fetched before a folder is opened."""

from __future__ import annotations

import datetime
import ipaddress
import json
import signal
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from custom_model_runner.delivery import fetching, orders
from custom_model_runner.errors import LoadError

from ..storage import Store, Way, store
from .conftest import Drum, Plant, Start

LARGE = bytes(range(256)) * (20 * 1024 * 1024 // 256)
SMALL = {f"small/{number}.txt": f"file {number}" * number for number in range(40)}
CREDENTIAL = {"credentialType": "s3", "awsAccessKeyId": "an-access-key", "awsSecretAccessKey": "its-secret-half"}


@pytest.fixture(scope="module")
def objects() -> Iterator[Store]:
    """A store with one large object and many small ones."""
    with store() as opened:
        opened.put("models")
        opened.put("models/large.bin", LARGE)
        for key, text in SMALL.items():
            opened.put(f"models/{key}", text)
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    return tmp_path / "code"


def asked(url: str, *keys: str, credential: Mapping[str, str] = CREDENTIAL, **facts: Any) -> dict[str, Any]:
    """Return an order of files that keep their names."""
    repository = {"repositoryId": "R", "bucketName": "models", "credentialId": "c1", "endpointUrl": url, **facts}
    files = [{"remotePath": key, "localPath": f"files/{key}", "repositoryId": "R"} for key in keys]
    return {"files": files, "repositories": [repository], "credentials": [{"id": "c1", **credential}]}


def fetch(folder: Path, order: Mapping[str, Any]) -> None:
    """Fetch in this process what an order asks for."""
    written = folder.parent / "order.json"
    written.write_text(json.dumps(order))
    fetching.fetch(orders.read(folder, str(written), {}).files)


def failure(folder: Path, order: Mapping[str, Any]) -> str:
    with pytest.raises(LoadError) as caught:
        fetch(folder, order)
    assert left(folder) == []
    return str(caught.value)


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_large_and_many_files_arrive_as_they_are(objects: Store, folder: Path) -> None:
    fetch(folder, asked(objects.url, "large.bin", *SMALL))
    assert (folder / "files/large.bin").read_bytes() == LARGE
    assert {key: (folder / "files" / key).read_text() for key in SMALL} == SMALL
    assert left(folder) == sorted(f"files/{key}" for key in ("large.bin", *SMALL))


def test_nothing_is_left_running_that_a_fork_would_lose(objects: Store, folder: Path) -> None:
    before = threading.active_count()
    fetch(folder, asked(objects.url, "small/1.txt"))
    assert threading.active_count() == before


def test_only_what_has_changed_is_fetched_again(objects: Store, folder: Path) -> None:
    objects.put("models/mine/kept.txt", "kept")
    objects.put("models/mine/changed.txt", "one")
    with Way(objects).open() as way:
        order = asked(way.url, "mine/kept.txt", "mine/changed.txt")
        fetch(folder, order)
        kept = (folder / "files/mine/kept.txt").stat().st_ino
        objects.put("models/mine/changed.txt", "three")
        fetch(folder, order)
        assert way.count("GET") == 3
    assert (folder / "files/mine/changed.txt").read_text() == "three"
    assert (folder / "files/mine/kept.txt").stat().st_ino == kept


def test_a_file_that_was_edited_is_replaced(objects: Store, folder: Path) -> None:
    fetch(folder, asked(objects.url, "small/1.txt"))
    (folder / "files/small/1.txt").write_text("FILE 1")
    fetch(folder, asked(objects.url, "small/1.txt"))
    assert (folder / "files/small/1.txt").read_text() == "file 1"


@pytest.mark.parametrize(
    ("key", "facts", "words"),
    [
        ("gone.bin", {}, "there is no such file"),
        ("small", {}, "it is a folder"),
        ("large.bin", {"bucketName": "elsewhere"}, "NoSuchBucket The specified bucket does not exist"),
    ],
)
def test_what_the_store_does_not_have_is_named(
    objects: Store, folder: Path, key: str, facts: dict[str, Any], words: str
) -> None:
    told = failure(folder, asked(objects.url, key, **facts))
    bucket = facts.get("bucketName", "models")
    place = f"from the repository 'R' (bucket {bucket!r} at {objects.url})"
    assert told == f"{folder}/files/{key} cannot be fetched as {key!r} {place}: {words}"


def test_only_the_right_credential_opens_a_locked_store(objects: Store, folder: Path) -> None:
    key, secret = objects.new_key()
    right = {**CREDENTIAL, "awsAccessKeyId": key, "awsSecretAccessKey": secret}
    with objects.locked():
        told = {
            name: failure(folder, asked(objects.url, "large.bin", credential=wrong))
            for name, wrong in (("key", CREDENTIAL), ("secret", {**right, "awsSecretAccessKey": "another-half"}))
        }
        fetch(folder, asked(objects.url, "large.bin", credential=right))
    assert "the credential is refused, or may not see this file: 403" in told["key"]
    assert "the credential is refused, or may not see this file: 403" in told["secret"]
    assert "another-half" not in told["secret"]
    assert (folder / "files/large.bin").read_bytes() == LARGE


def test_a_transfer_that_breaks_off_goes_on_where_it_was(objects: Store, folder: Path) -> None:
    with Way(objects, longest=5_000_000, cuts=2).open() as way:
        fetch(folder, asked(way.url, "large.bin"))
        assert way.count("GET") == 3
    assert (folder / "files/large.bin").read_bytes() == LARGE


def test_a_store_that_dies_midway_leaves_all_as_it_was_and_the_next_run_succeeds(objects: Store, folder: Path) -> None:
    (folder / "files").mkdir()
    (folder / "files/large.bin").write_text("old")
    with (
        Way(objects, longest=5_000_000, cuts=1, is_closed_by_a_cut=True).open() as way,
        pytest.raises(LoadError) as caught,
    ):
        fetch(folder, asked(way.url, "large.bin"))
    assert str(caught.value).startswith(
        f"{folder}/files/large.bin cannot be fetched as 'large.bin' from the repository"
    )
    assert "EndpointConnectionError: Could not connect" in str(caught.value)
    assert (left(folder), (folder / "files/large.bin").read_text()) == (["files/large.bin"], "old")
    fetch(folder, asked(objects.url, "large.bin"))
    assert (folder / "files/large.bin").read_bytes() == LARGE


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return what a server needs that nobody has reason to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "store")])
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    text = serialization.Encoding.PEM
    private = key.private_bytes(text, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + certificate.public_bytes(text))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def test_a_certificate_is_verified_unless_it_is_said_otherwise(objects: Store, folder: Path, tmp_path: Path) -> None:
    with Way(objects, tls=self_signed(tmp_path)).open() as way:
        assert "certificate verify failed" in failure(folder, asked(way.url, "small/1.txt"))
        fetch(folder, asked(way.url, "small/1.txt", verifyCertificate=False))
    assert (folder / "files/small/1.txt").read_text() == "file 1"


# The commands.

# The file must be there when this one is imported.
CUSTOM = """
    import pathlib
    TEXT = pathlib.Path(__file__).with_name("files").joinpath("small", "3.txt").read_text()

    def score_unstructured(model, data, **kwargs):
        print("its-secret-half")
        return TEXT
"""


def test_a_batch_has_its_files_before_user_code_is_imported(
    objects: Store, drum: Drum, plant: Plant, tmp_path: Path
) -> None:
    (tmp_path / "order.yaml").write_text(json.dumps(asked(objects.url, "small/3.txt")))
    folder = plant("code", {"custom.py": CUSTOM})
    done = drum("score", "-cd", folder, "--input", "-", "--lazy-loading-file", tmp_path / "order.yaml")
    assert (done.stdout.decode(), done.returncode) == (SMALL["small/3.txt"], 0), done.stderr
    assert b"its-secret-half" not in done.stderr


def test_a_signal_ends_a_transfer_and_leaves_nothing(start: Start, plant: Plant, tmp_path: Path) -> None:
    folder = plant("code", {"custom.py": CUSTOM})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        (tmp_path / "order.json").write_text(json.dumps(asked(url, "large.bin")))
        process = start("score", "-cd", folder, "--input", "-", "--lazy-loading-file", tmp_path / "order.json")
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=30)
    assert (process.returncode, told, left(folder)) == (143, b"", ["custom.py"])


def test_without_the_library_its_extra_is_named(drum: Drum, plant: Plant, tmp_path: Path) -> None:
    hidden = plant("hidden", {"s3fs.py": "raise ModuleNotFoundError('gone', name='s3fs')"})
    (tmp_path / "order.json").write_text(json.dumps(asked("http://127.0.0.1:1", "large.bin")))
    words = ("-cd", plant("code", {"custom.py": CUSTOM}), "--lazy-loading-file", tmp_path / "order.json")
    done = drum("score", *words, "--input", "-", env={"PYTHONPATH": str(hidden)})
    told = "The package 's3fs' is needed and not installed; install it with: pip install \"custom-model-runner[s3]\"\n"
    assert (done.returncode, done.stderr.decode()) == (4, f"drum: error: {told}")
