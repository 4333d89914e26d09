"""Who may ask a server, in what language, and where."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import openai
import psutil
import pytest
import requests

from custom_model_runner.server.gathering import MOST_GATHERED

from . import certificates
from .conftest import Server, serve
from .processes import drum
from .test_supervisor import ask, free_port, until

SOURCE = """
import logging

def score(data, model, **kwargs):
    if "raise" in data.columns:
        raise ValueError("broken on purpose")
    return data[["x"]]

def chat(params, model, headers=None, **kwargs):
    print(dict(headers or {}))
    return {"object": "chat.completion", "choices": [], "seen": sorted(name for name, _ in (headers or {}).items())}
"""
WORDS = ("--target-type", "regression")
KEY, OTHER = "first-4711-key", "second-0815-key"
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    return folder


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "keys"
    file.write_text(f"{KEY}\n")
    return file


@pytest.fixture(scope="module")
def probe_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(folder: Path, keys: Path, probe_port: int) -> Iterator[Server]:
    more = ("--max-workers", "2", "--logging-level", "all", "--probe-address", f"127.0.0.1:{probe_port}")
    with serve(folder, *WORDS, "--api-key-file", str(keys), *more) as server:
        yield server


def test_probes_and_the_probe_port_ask_for_no_key(server: Server, probe_port: int) -> None:
    assert [server.get(path).status_code for path in ("/", "/ping/", "/health/", "/livez", "/readyz")] == [200] * 5
    assert [ask(probe_port, path)[0] for path in ("/livez", "/readyz")] == [200, 200]
    assert requests.get(f"http://127.0.0.1:{probe_port}/metrics", timeout=10).status_code == 200
    assert server.get("/metrics").status_code == 401


def test_a_request_without_key_is_refused_in_our_form_and_the_rest_of_its_body_is_not_waited_for(
    server: Server,
) -> None:
    answer = server.post("/predict/", "x\n1\n", "text/csv")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    message = (
        "ERROR: There is no API key in the request, expected one as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'"
    )
    assert answer.json() == {"message": message}
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"POST /predict/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * MOST_GATHERED)
        assert raw.recv(100).startswith(b"HTTP/1.1 401 ")


def test_the_openai_client_is_refused_as_openai_would_and_let_in_with_a_key(server: Server) -> None:
    base = f"http://127.0.0.1:{server.port}/v1"
    ask_for = {"model": "any", "messages": []}
    with pytest.raises(openai.AuthenticationError) as refused, openai.OpenAI(base_url=base, api_key="wrong") as client:
        client.chat.completions.create(**ask_for)  # type: ignore[call-overload]
    assert (refused.value.type, refused.value.code) == ("authentication_error", "invalid_api_key")
    with openai.OpenAI(base_url=base, api_key=KEY) as client:
        assert client.chat.completions.create(**ask_for).choices == []  # type: ignore[call-overload]


def test_a_new_key_in_the_file_counts_within_seconds_in_every_worker_and_an_old_one_no_more(
    server: Server, keys: Path
) -> None:
    keys.write_text(f"{OTHER}\n")
    time.sleep(1.2)
    try:
        asked = [server.get("/info/", headers={"X-API-Key": key}).status_code for key in [OTHER] * 12 + [KEY] * 12]
    finally:
        keys.write_text(f"{KEY}\n")
    assert asked == [200] * 12 + [401] * 12
    until(lambda: all(server.get("/info/", headers=BEARER).ok for _ in range(12)))


def test_no_key_stands_in_a_log_nor_reaches_a_hook(server: Server) -> None:
    said = server.post("/chat/completions", '{"messages":[]}', "application/json", headers=BEARER)
    assert "Authorization" not in said.json()["seen"]
    assert "Host" in said.json()["seen"]
    assert server.post("/predict/", "x\n1\n", "text/csv", headers={"X-API-Key": OTHER}).status_code == 401
    log = server.log.read_text()
    assert "/chat/completions" in log
    assert KEY not in log
    assert OTHER not in log


def test_nothing_listens_but_the_address_and_the_probe_port(server: Server, probe_port: int) -> None:
    first = psutil.Process(server.process.pid)
    tree = {first.pid, *(child.pid for child in first.children(recursive=True))}
    assert len(tree) == 4
    held = [one for one in psutil.net_connections("all") if one.pid in tree]
    listening = {one.laddr for one in held if one.status == psutil.CONN_LISTEN}
    assert listening == {("127.0.0.1", server.port), ("127.0.0.1", probe_port)}
    assert not [one for one in held if one.type == socket.SOCK_DGRAM]
    assert not [one for one in held if one.family == socket.AF_UNIX and one.laddr]


def test_neither_tracebacks_nor_payloads_come_back(folder: Path) -> None:
    secret = "payload-4242"
    with serve(folder, *WORDS, "--show-stacktrace") as server:
        sent = [
            ("/predict/", f"raise\n{secret}\n", "text/csv"),
            ("/predict/", f'x\n"{secret}\n', "text/csv"),
            ("/predict/", f'{{"{secret}', "application/json"),
            ("/predict/", f"{secret},x\n1\n", "text/csv"),
            ("/predict/", f"%%MatrixMarket {secret}\n", "text/mtx"),
            ("/predict/", secret, "application/vnd.apache.parquet"),
            ("/predict/", f"x\n{secret}\n", "text/other"),
            ("/chat/completions", f'["{secret}"]', "application/json"),
            ("/predictUnstructured/", secret, "text/plain"),
        ]
        answers = [server.post(path, body, content_type) for path, body, content_type in sent]
    assert {answer.status_code for answer in answers} >= {400, 422, 500}
    for answer in answers:
        assert answer.status_code >= 400 or answer.json()["predictions"]
        assert "Traceback" not in answer.text
        assert 'File "' not in answer.text
        assert secret not in answer.text, answer.request.headers["Content-Type"]


def test_the_main_port_speaks_tls_and_the_probe_port_does_not(folder: Path, tmp_path: Path) -> None:
    certfile, keyfile = certificates.make(tmp_path, "mine")
    probe_port = free_port()
    words = ("--certfile", str(certfile), "--keyfile", str(keyfile), "--probe-address", f"127.0.0.1:{probe_port}")
    with serve(folder, *WORDS, *words, certificate=certfile) as server:
        assert server.post("/predict/", b"x\n1\n").json() == {"predictions": [1.0]}
        assert ask(probe_port, "/readyz")[0] == 200
        with pytest.raises(requests.exceptions.SSLError):
            server.get("/", verify=True)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{server.port}/", timeout=10)
        context = ssl.create_default_context(cafile=certfile)
        with (
            socket.create_connection(("127.0.0.1", server.port)) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as wrapped,
        ):
            assert wrapped.version() in {"TLSv1.2", "TLSv1.3"}
        assert server.get("/").ok
        assert f"on https://127.0.0.1:{server.port}" in server.log.read_text()
        assert "Traceback" not in server.log.read_text()
        assert "ERROR" not in server.log.read_text()


def test_a_renewed_certificate_counts_after_a_reload_and_a_wrong_one_changes_nothing(
    folder: Path, tmp_path: Path
) -> None:
    certfile, keyfile = certificates.make(tmp_path, "mine")
    other, other_key = certificates.make(tmp_path, "other")
    with serve(folder, *WORDS, "--certfile", str(certfile), "--keyfile", str(keyfile), certificate=certfile) as server:
        trusted = tmp_path / "trusted"
        certfile.rename(trusted)
        other.rename(certfile)
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: "could not be loaded anew" in server.log.read_text(), 60)
        assert "certificate and its own key" in server.log.read_text()
        assert server.get("/", verify=str(trusted)).ok
        other_key.rename(keyfile)
        os.kill(server.process.pid, signal.SIGHUP)
        until(lambda: "was loaded anew" in server.log.read_text(), 60)
        until(lambda: is_trusted(server))


def is_trusted(server: Server) -> bool:
    """Say whether a server shows the certificate that is in the file now; what drains may show the one before."""
    with suppress(requests.exceptions.SSLError):
        return server.get("/").ok
    return False


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--certfile", "none.pem"], "--certfile: 'none.pem' cannot be read: No such file or directory"),
        (["--certfile", "mine.crt", "--keyfile", "none.pem"], "--keyfile: 'none.pem' cannot be read"),
        (["--keyfile", "mine.key"], "--keyfile needs --certfile beside it"),
        (["--certfile", "mine.crt"], "cannot be used: expected PEM files of a certificate and its own key"),
        (["--certfile", "mine.crt", "--keyfile", "other.key"], "expected PEM files of a certificate and its own key"),
        (["--certfile", "keys", "--keyfile", "mine.key"], "expected PEM files of a certificate and its own key"),
        (["--certfile", "locked.crt", "--keyfile", "locked.key"], "the private key has a password"),
        (["--api-key-file", "none"], "--api-key-file: 'none' is not there"),
        (["--api-key-file", "empty"], "found no key"),
    ],
)
def test_files_that_will_not_do_are_a_usage_error(
    folder: Path, tmp_path: Path, words: list[str], complaint: str
) -> None:
    certificates.make(tmp_path, "mine")
    certificates.make(tmp_path, "other")
    certificates.make(tmp_path, "locked", password=b"secret")
    (tmp_path / "keys").write_text(f"{KEY}\n")
    (tmp_path / "empty").write_text("# nobody\n")
    given = [str(tmp_path / word) if not word.startswith("-") else word for word in words]
    address = ("--address", f"127.0.0.1:{free_port()}", "--probe-address", "off")
    ended = drum("server", "--code-dir", folder, *WORDS, *address, *given)
    told = ended.stderr.decode().replace(f"{tmp_path}/", "")
    assert (ended.returncode, told.count("\n")) == (2, 1), told
    assert complaint in told
