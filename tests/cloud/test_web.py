"""Batches from and to web servers."""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from custom_model_runner.addresses import Address
from custom_model_runner.batch import sources
from custom_model_runner.batch.stores import web as stores
from custom_model_runner.errors import InputError, RunnerError, UsageError

from ..conformance import certificates
from ..unit.batch.runs import score
from .commands import drum
from .rows import CSV, encoded
from .web_server import KEY, Web, served

KINDS = [{"gives_parts": True}, {"gives_parts": False}, {"gives_parts": False, "tells_length": False}]


@pytest.fixture
def web() -> Iterator[Web]:
    with served() as serving:
        yield serving


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".ndjson", ".parquet", ".arrow"])
@pytest.mark.parametrize("kind", KINDS, ids=["parts", "no parts", "no length"])
def test_every_format_is_read_from_every_server(
    web: Web, folder: Path, tmp_path: Path, suffix: str, kind: dict[str, Any]
) -> None:
    vars(web).update(kind)
    web.files[f"/in{suffix}"] = encoded(suffix)
    (tmp_path / f"in{suffix}").write_bytes(encoded(suffix))
    expected = score(folder, tmp_path / f"in{suffix}", batch_rows=300)
    assert score(folder, f"{web.url}/in{suffix}?x=1.json", batch_rows=300) == expected


def test_a_file_comes_in_parts_where_the_server_gives_them(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "READ_BYTES", 1000)
    web.files["/in.csv"] = CSV
    with sources.opened(f"{web.url}/in.csv", 1 << 40) as stream:
        assert stream.read(10) == CSV[:10]
        assert ("GET", f"bytes=0-{10 + 1000 - 1}") in web.asked
        rest = b"".join(iter(lambda: stream.read(10_000), b""))
    assert rest == CSV[10:]
    assert {part for _, part in web.asked if part} != {None}


def test_an_empty_file_is_an_input_error(web: Web, folder: Path) -> None:
    web.files["/in.csv"] = b""
    with pytest.raises(InputError, match="empty"):
        score(folder, f"{web.url}/in.csv")


def test_a_file_that_is_replaced_while_it_is_read_is_told(web: Web) -> None:
    web.files["/in.csv"] = b"a" * 10_000

    def read() -> None:
        with sources.opened(f"{web.url}/in.csv", 1 << 40) as stream:
            web.files["/in.csv"] = b"b" * 10_000
            while stream.read(10_000):
                pass

    with pytest.raises(InputError, match="was changed while it was read"):
        read()


def test_a_file_is_put_when_it_is_complete(web: Web, folder: Path) -> None:
    web.files["/in.csv"] = CSV
    score(folder, f"{web.url}/in.csv", output=Address(f"{web.url}/out.csv"), batch_rows=300)
    assert web.files["/out.csv"].count(b"\n") == 1001


def test_nothing_is_put_when_a_run_fails(web: Web, folder: Path) -> None:
    web.files["/in.csv"] = CSV + b"1,2,3\n"
    with pytest.raises(InputError, match="line 1002"):
        score(folder, f"{web.url}/in.csv", output=Address(f"{web.url}/out.csv"), batch_rows=300)
    assert list(web.files) == ["/in.csv"]


def test_a_file_that_is_not_there_is_a_usage_error(web: Web, folder: Path) -> None:
    with pytest.raises(UsageError, match=r"^--input: '.*/gone.csv' is not there, "):
        score(folder, f"{web.url}/gone.csv")


def test_a_key_in_an_address_opens_it_and_stands_in_no_message(web: Web, folder: Path) -> None:
    web.files["/closed.csv"] = CSV
    assert score(folder, f"{web.url}/closed.csv?key={KEY}").count(b"\n") == 1001
    address = f"{web.url.replace('://', '://user:password@')}/closed.csv?key=wrong-key"
    with pytest.raises(InputError) as caught:
        score(folder, address)
    trace = "".join(traceback.format_exception(caught.value))
    assert ("wrong-key" in trace, "password" in trace) == (False, False)
    assert str(caught.value) == f"The input '{web.url}/closed.csv' cannot be read: the server answers 403 Forbidden"
    web.files["/in.csv"] = CSV
    with pytest.raises(RunnerError) as refused:
        score(folder, f"{web.url}/in.csv", output=Address(address))
    assert str(refused.value) == (
        f"--output: '{web.url}/closed.csv' cannot be written: the server answers 403 Forbidden"
    )


def test_a_server_that_is_not_there_is_told(folder: Path) -> None:
    with served() as gone:
        url = gone.url
    with pytest.raises(InputError, match=r"cannot be read: there is no connection to 127.0.0.1:\d+: "):
        score(folder, f"{url}/in.csv")


def test_tls_is_checked_with_the_usual_certificates(folder: Path, tmp_path: Path) -> None:
    certfile, keyfile = certificates.make(tmp_path, "server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certfile, keyfile)
    with served(tls) as web:
        web.files["/in.csv"] = CSV
        words = ("score", "-cd", folder, "--input", f"{web.url}/in.csv", "--target-type", "regression")
        done = drum(*words, env={"SSL_CERT_FILE": str(certfile)})
        assert (done.stderr, done.returncode, done.stdout.count(b"\n")) == (b"", 0, 1001)
        refused = drum(*words, env={})
    assert refused.returncode == 6
    assert b"cannot be read: there is no connection to 127.0.0.1:" in refused.stderr
