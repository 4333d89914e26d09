"""What a server answers without asking the folder, as the official client of OpenAI's API sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from .conftest import Server, serve

# Answers when the file that it is told of is there.
SOURCE = """
import pathlib, time

def chat(params, model):
    while not pathlib.Path(params["waits_for"]).exists():
        time.sleep(0.01)
    if params.get("stream"):
        return iter([{"object": "chat.completion.chunk", "choices": []}])
    return {"object": "chat.completion", "choices": []}
"""
THERE = str(Path(__file__))
WORDS = ("--target-type", "regression", "--max-queue", "0", "--request-timeout", "2")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, *WORDS) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    until(lambda: server.get("/readyz").status_code == 200)
    base = f"http://127.0.0.1:{server.port}/v1"
    with OpenAI(base_url=base, api_key="none", max_retries=0, timeout=30) as client:
        yield client


def ask(client: OpenAI, waits_for: str = THERE, *, stream: bool = False) -> None:
    """Ask for a chat, and take all of the answer."""
    create = client.chat.completions.create
    answer = create(model="any", messages=[], stream=stream, extra_body={"waits_for": waits_for})
    assert not stream or len(list(answer)) == 1


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def occupied(server: Server, client: OpenAI, end: Path) -> Iterator[None]:
    """Have a call inside the model, which takes no further one until the file is there."""
    with ThreadPoolExecutor(1) as clients:
        call = clients.submit(ask, client, str(end))
        try:
            until(lambda: server.get("/readyz").status_code == 503)
            yield
        finally:
            end.touch()
            # Its own time may be over.
            call.exception()


def refused(server: Server) -> float:
    """Return how many chats were answered with 429."""
    name = 'drum_requests_total{route="/v1/chat/completions",status="429"}'
    lines = server.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def facts(error: openai.APIStatusError) -> tuple[int, str | None, str | None]:
    return error.status_code, error.type, error.code


def test_what_the_folder_does_not_offer_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="get_supported_llm_models") as caught:
        client.models.list()
    assert facts(caught.value) == (404, "invalid_request_error", "not_found")


@pytest.mark.parametrize("stream", [False, True])
def test_a_full_queue_is_a_rate_limit_that_says_when_to_come_again(
    server: Server, client: OpenAI, tmp_path: Path, stream: bool
) -> None:
    with occupied(server, client, tmp_path / "end"), pytest.raises(openai.RateLimitError) as caught:
        ask(client, stream=stream)
    assert facts(caught.value) == (429, "rate_limit_error", "rate_limit_exceeded")
    assert caught.value.response.headers["Retry-After"] == "1"


def test_a_client_that_tries_again_gets_its_answer(server: Server, client: OpenAI, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as clients, occupied(server, client, tmp_path / "end"):
        before = refused(server)
        second = clients.submit(ask, client.with_options(max_retries=20))
        until(lambda: refused(server) > before)
        (tmp_path / "end").touch()
        second.result()


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_takes_too_long_is_a_server_error_with_a_code_of_its_own(
    client: OpenAI, tmp_path: Path, stream: bool
) -> None:
    with pytest.raises(openai.InternalServerError, match="--request-timeout") as caught:
        ask(client, str(tmp_path / "end"), stream=stream)
    (tmp_path / "end").touch()
    assert facts(caught.value) == (504, "server_error", "timeout")
    assert caught.value.response.headers["Connection"] == "close"
