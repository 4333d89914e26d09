"""A real `drum server` for the length of a `with`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from .processes import DRUM, environment, left_of

SECONDS_TO_START = 60.0
SECONDS_TO_STOP = 15.0


@dataclass(frozen=True)
class Server:
    """A running `drum server`, alone in its process group."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    certificate: Path | None = None

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request on a connection of its own, never following a redirect."""
        with requests.Session() as session:
            session.trust_env = False
            url = f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}{path}"
            trusted = {"verify": str(self.certificate)} if self.certificate else {}
            return session.request(method, url, allow_redirects=False, **{"timeout": 60, **trusted, **options})

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, data: Any = None, content_type: str | None = None, **options: Any) -> requests.Response:
        """Send a POST; without a content type the header is left out."""
        headers = dict(options.pop("headers", {}), **({"Content-Type": content_type} if content_type else {}))
        return self.request("POST", path, data=data, headers=headers, **options)


@contextmanager
def serve(
    folder: Path,
    *args: str,
    env: Mapping[str, str] | None = None,
    stdout: int | None = None,
    certificate: Path | None = None,
) -> Iterator[Server]:
    """Serve a folder on a free port; at the end SIGTERM must give exit 0 and leave no process.

    Standard output goes into the log, or to a descriptor.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as place:
        log = Path(place) / "stderr"
        command = [DRUM, "server", "--code-dir", str(folder), "--address", f"127.0.0.1:{port}"]
        # The default port may be another server's.
        command += [*(() if "--probe-address" in args else ("--probe-address", "off")), *args]
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                command, stdout=stdout or stderr, stderr=stderr, env=environment(env), start_new_session=True
            )
        try:
            server = Server(process, port, log, certificate)
            _wait_for_an_answer(server)
            yield server
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS_TO_STOP) == 0, log.read_text()
            assert left_of(process.pid) == []
        finally:
            if process.poll() is None or left_of(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for_an_answer(server: Server) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        assert server.process.poll() is None, server.log.read_text()
        try:
            server.get("/")
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no answer in {SECONDS_TO_START} s: {server.log.read_text()}")
