"""The commands of a template's README, run as they are written."""

from __future__ import annotations

import csv
import io
import json
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
# Generous, because the machine may be busy; a server that has died is noticed at once.
PATIENCE = 60.0
# What the templates' own scripts write.
SAMPLES = ("sample_input.csv", "sample_input.mtx", "sample_input.colnames")
MADE = ("*.pkl", "*.joblib", "centroids.json", "model.*", *SAMPLES, "__pycache__")
# The templates that need more than the core: tests/frameworks tries them.
BEYOND_THE_CORE = frozenset(
    f"python3_{name}" for name in ("catboost", "keras", "lightgbm", "onnx", "pytorch", "xgboost")
)
TEMPLATES = sorted(folder.name for folder in (ROOT / "model_templates").glob("[!._]*"))

Answer = pd.DataFrame | str


def documented(template: str, word: str) -> list[list[str]]:
    """The README's commands that contain a word, ready to run."""
    readme = (ROOT / "model_templates" / template / "README.md").read_text(encoding="utf-8")
    blocks = [block.split("\n```")[0] for block in readme.split("```sh\n")[1:]]
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line.replace(".venv/bin", str(BIN))) for line in lines if word in line]


def value_after(flag: str, command: list[str]) -> str:
    return command[command.index(flag) + 1]


def run(command: list[str], workshop: Path) -> str:
    """Run a command that must succeed, and return what it prints."""
    done = subprocess.run(command, cwd=workshop, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def build(names: Iterable[str], folder: Path) -> Path:
    """Copy what the commands name, train the named templates there, and return the copy."""
    shutil.copytree(ROOT / "model_templates", folder / "model_templates", ignore=shutil.ignore_patterns(*MADE))
    shutil.copytree(ROOT / "tests" / "testdata", folder / "tests" / "testdata")
    for name in names:
        for command in documented(name, f"{name}/train.py"):
            written = run(command, folder)
            assert any(f"wrote {folder}/model_templates/{name}/{sample}:" in written for sample in SAMPLES)
    return folder


@dataclass(frozen=True)
class Server:
    """A template that is being served by its documented command, on a port of our own."""

    address: str

    def send(self, command: list[str], workshop: Path) -> requests.Response:
        """Send what a documented curl command would send."""
        url = next(word for word in command if word.startswith("http://"))
        assert url.startswith("http://127.0.0.1:8080/")
        url = url.replace("127.0.0.1:8080", self.address)
        parts = [following.split("=@", 1) for word, following in pairwise(command) if word == "--form"]
        if parts:
            files = {name: (Path(path).name, (workshop / path).read_bytes()) for name, path in parts}
            return requests.post(url, files=files, timeout=PATIENCE)
        path = value_after("--data-binary", command).removeprefix("@")
        lines = [following for word, following in pairwise(command) if word == "--header"]
        headers = dict(line.split(": ", 1) for line in lines)
        return requests.post(url, (workshop / path).read_bytes(), headers=headers, timeout=PATIENCE)


def served_by(template: str) -> tuple[list[str], list[list[str]]]:
    """The documented command that serves a template, and those of other templates that it needs."""
    commands = documented(template, "drum server")
    others = [command for command in commands if value_after("--code-dir", command) != f"model_templates/{template}"]
    (own,) = (command for command in commands if command not in others)
    return own, others


@contextmanager
def surroundings(template: str, workshop: Path) -> Iterator[None]:
    """Serve the other templates that a template needs, and put their real addresses into its files."""
    with ExitStack() as stack:
        for command in served_by(template)[1]:
            server = stack.enter_context(started(command, workshop))
            for path in (workshop / "model_templates" / template).glob("*.yaml"):
                path.write_text(path.read_text().replace(value_after("--address", command), server.address))
        yield


@contextmanager
def serving(template: str, workshop: Path) -> Iterator[Server]:
    """Run a template's documented command; at its end SIGTERM must give exit 0."""
    command, _ = served_by(template)
    assert value_after("--address", command) == "127.0.0.1:8080"
    with started(command, workshop) as server:
        yield server


@contextmanager
def started(command: list[str], workshop: Path) -> Iterator[Server]:
    """Run a command that serves, on a port of our own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    place = command.index("--address") + 1
    command = [*command[:place], address, *command[place + 1 :]]
    with subprocess.Popen(command, cwd=workshop, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until_it_answers(f"http://{address}/ping/", process)
            yield Server(address)
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for a server that a process is about to be."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            if requests.get(url, timeout=PATIENCE).status_code == 200:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    pytest.fail(f"no answer from {url}")


def read_batch(text: str, like: Answer) -> Answer:
    if isinstance(like, str):
        return text
    # Not pd.read_csv: older versions of it do not read every number to its last digit.
    header, *rows = csv.reader(io.StringIO(text))
    table = pd.DataFrame(rows, columns=header, dtype=object)
    return table.astype({column: like.dtypes[column] for column in header if column in like})


def read_response(response: requests.Response, like: Answer) -> Answer:
    if isinstance(like, str):
        return said(response) if response.url.endswith("/chat/completions") else response.content.decode()
    if response.headers["Content-Type"].startswith("multipart/form-data"):
        return read_batch(transformed_csv(response), like)
    body = response.json()
    rows = body["predictions"]
    table = pd.DataFrame(rows if not rows or isinstance(rows[0], dict) else {"Predictions": rows})
    extra = body.get("extraModelOutput")
    return table if extra is None else table.join(pd.DataFrame(**extra))


def said(response: requests.Response) -> str:
    """The text of a completion, or of a stream that came to its end."""
    if not response.headers["Content-Type"].startswith("text/event-stream"):
        return str(response.json()["choices"][0]["message"]["content"])
    *events, end, nothing = response.text.split("\n\n")
    assert (end, nothing) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)


def transformed_csv(response: requests.Response) -> str:
    """Return the table of an answer to those who want to transform."""
    head = f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + response.content).get_payload()
    kind, table = (part.get_payload(decode=True).decode() for part in parts)
    assert kind == "csv"
    return str(table)


def assert_same(found: Answer, expected: Answer, *, exact: bool = True) -> None:
    if isinstance(found, str) or isinstance(expected, str):
        assert found == expected
    else:
        pd.testing.assert_frame_equal(found[expected.columns.to_list()], expected, check_exact=exact)
        assert set(found.columns) == set(expected.columns)
