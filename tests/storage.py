"""A real server that speaks like S3, and a way to it that can break."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import requests

PATIENCE = 60.0
# Says which of its services a request is for; nobody looks at the signature yet.
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=root/20200101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=none"
)


@dataclass(frozen=True)
class Store:
    """A running server; nobody has to show who he is."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """What libraries find the store by, and a key, which nobody looks at."""
        key = {"AWS_ACCESS_KEY_ID": "an-access-key", "AWS_SECRET_ACCESS_KEY": "its-secret-half"}
        return {**key, "AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "us-east-1"}

    def put(self, path: str, data: bytes | str = b"") -> None:
        """Store an object, or make a bucket."""
        self._send("PUT", path, data=data, headers={"Authorization": AUTHORIZATION.format("s3")})

    def new_key(self) -> tuple[str, str]:
        """Return the access key of a new user, and its secret."""
        call = {"Version": "2010-05-08", "UserName": "reader"}
        policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
        self._iam({**call, "Action": "CreateUser"})
        self._iam({**call, "Action": "PutUserPolicy", "PolicyName": "read", "PolicyDocument": policy})
        answer = self._iam({**call, "Action": "CreateAccessKey"})
        key, secret = (re.search(f"<{tag}>(.*)</{tag}>", answer) for tag in ("AccessKeyId", "SecretAccessKey"))
        assert key is not None
        assert secret is not None
        return key[1], secret[1]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Ask everyone for a key that is known."""
        self._send("POST", "moto-api/reset-auth", data="0")
        try:
            yield
        finally:
            self._send("POST", "moto-api/reset-auth", data="inf")

    def _iam(self, form: dict[str, str]) -> str:
        return self._send("POST", "", data=form, headers={"Authorization": AUTHORIZATION.format("iam")}).text

    def _send(self, method: str, path: str, **options: object) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(method, f"{self.url}/{path}", timeout=PATIENCE, **options)  # type: ignore[arg-type]
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return answer


@contextmanager
def store() -> Iterator[Store]:
    """Run a server for the length of a `with`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while not _listens(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield Store(port)
        finally:
            process.terminate()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@dataclass
class Way:
    """A way to the store; it writes down what was asked for, and breaks off answers that are longer than allowed."""

    store: Store
    longest: int | None = None
    # How many answers are broken off, and whether the way is closed from then on.
    cuts: int = 0
    is_closed_by_a_cut: bool = False
    tls: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.listener.getsockname()[1]}"

    def count(self, method: str) -> int:
        """Return how many requests of a method came by."""
        return sum(line.startswith(f"{method} ") for line in self.asked)

    @contextmanager
    def open(self) -> Iterator[Way]:
        """Let requests pass for the length of a `with`."""
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._close()
            thread.join()

    def _close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.store.port)) as server:
            inside = self.tls.wrap_socket(client, server_side=True) if self.tls else client
            with inside:
                head = inside.recv(1 << 16)
                self.asked.append(head.partition(b"\r\n")[0].decode())
                # The store closes its end after each answer.
                server.sendall(re.sub(rb"(?i)(\r\nconnection:) *[\w-]+", rb"\1 close", head))
                self._answer(server, inside)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        sent = 0
        while block := server.recv(1 << 16):
            if self.longest is not None and self.cuts and sent + len(block) > self.longest:
                self.cuts -= 1
                if self.is_closed_by_a_cut:
                    self._close()
                return
            client.sendall(block)
            sent += len(block)
