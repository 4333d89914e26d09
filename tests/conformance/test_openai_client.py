"""The official client of OpenAI's API, against our server."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from . import chat_folder
from .conftest import Server, serve

PREFIX = "/my/pre"
EACH_STATUS: dict[int, tuple[type[openai.APIStatusError], str, str | None]] = {
    400: (openai.BadRequestError, "invalid_request_error", None),
    401: (openai.AuthenticationError, "authentication_error", "invalid_api_key"),
    403: (openai.PermissionDeniedError, "permission_error", None),
    404: (openai.NotFoundError, "invalid_request_error", "not_found"),
    409: (openai.ConflictError, "invalid_request_error", None),
    422: (openai.UnprocessableEntityError, "invalid_request_error", None),
    429: (openai.RateLimitError, "rate_limit_error", "rate_limit_exceeded"),
    500: (openai.InternalServerError, "server_error", None),
    503: (openai.InternalServerError, "server_error", None),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = chat_folder.plant(tmp_path_factory.mktemp("model"))
    with serve(folder, "--max-body-bytes", "10000", env={"URL_PREFIX": PREFIX}) as server:
        yield server


@pytest.fixture(params=[f"{PREFIX}/v1", PREFIX], ids=["with-v1", "without"])
def client(server: Server, request: pytest.FixtureRequest) -> Iterator[OpenAI]:
    base = f"http://127.0.0.1:{server.port}{request.param}"
    with OpenAI(base_url=base, api_key="none", max_retries=0, timeout=30) as client:
        yield client


def user(text: str) -> list[openai.types.chat.ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


def test_a_completion(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="any", messages=user("Ship ahoy é\u2028"), extra_headers={"X-Sign": "!"}
    )
    assert answer.choices[0].message.content == "Ship ahoy é\u2028!"
    assert answer.model == "echo"
    assert answer.model_extra is not None
    assert len(answer.model_extra["datarobot_association_id"]) == 36


def test_a_completion_keeps_the_association_id_it_is_given(client: OpenAI) -> None:
    body = {"datarobot_association_id": "order 7"}
    answer = client.chat.completions.create(model="any", messages=user("x"), extra_body=body)
    assert answer.model_extra == {"datarobot_association_id": "order 7"}


def test_a_stream(client: OpenAI) -> None:
    body = {"datarobot_association_id": "order 7"}
    chunks = list(
        client.chat.completions.create(model="any", messages=user("Ship ahoy é"), stream=True, extra_body=body)
    )
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["Ship ", "ahoy ", "é "]
    assert [chunk.model_extra for chunk in chunks] == [body] * 3


def test_a_stream_without_chunks(client: OpenAI) -> None:
    assert list(client.chat.completions.create(model="any", messages=user(""), stream=True)) == []


def test_the_models(client: OpenAI) -> None:
    (model,) = client.models.list()
    assert (model.id, model.object, model.owned_by) == ("echo", "model", "us")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", EACH_STATUS)
def test_each_status_is_the_client_s_own_error(client: OpenAI, status: int, stream: bool) -> None:
    kind, name, code = EACH_STATUS[status]
    body = {"raise": f"CustomHTTPError('as you wish', {status})"}
    with pytest.raises(kind) as caught:
        client.chat.completions.create(model="any", messages=user("x"), stream=stream, extra_body=body)
    assert type(caught.value) is kind
    assert caught.value.status_code == status
    assert caught.value.body == {"message": "as you wish", "type": name, "param": None, "code": code}


def test_a_hook_that_raises_is_a_server_error(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match=r"The chat hook raised. Exception: KeyError\('x'\)"):
        client.chat.completions.create(model="any", messages=user("x"), extra_body={"raise": "KeyError('x')"})


def test_what_a_hook_says_of_a_bad_request_is_one(client: OpenAI) -> None:
    body = {"raise": "BadRequest('no such model')"}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="any", messages=user("x"), extra_body=body)
    assert caught.value.body == {
        "message": "no such model",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_a_body_that_is_too_large_is_an_error_with_its_status(client: OpenAI) -> None:
    with pytest.raises(openai.APIStatusError, match="limit of 10000 bytes") as caught:
        client.chat.completions.create(model="any", messages=user("x" * 20_000))
    assert caught.value.status_code == 413


def test_a_stream_that_fails_on_the_way_is_an_error_after_what_was_said(client: OpenAI) -> None:
    chunks = client.chat.completions.create(
        model="any", messages=user("all is well so far"), stream=True, extra_body={"fail_at": 3}
    )
    said = []
    with pytest.raises(openai.APIError) as caught:
        said += [chunk.choices[0].delta.content for chunk in chunks]
    assert said == []  # a list is only extended by what came whole
    assert caught.value.message == "The chat hook raised. Exception: ValueError('the thread is lost') (custom.py:26)"
    assert caught.value.type == "server_error"


def test_what_was_said_before_a_failure_arrives(client: OpenAI) -> None:
    chunks = client.chat.completions.create(
        model="any", messages=user("all is well so far"), stream=True, extra_body={"fail_at": 3}
    )
    assert [next(chunks).choices[0].delta.content for _ in range(3)] == ["all ", "is ", "well "]
    with pytest.raises(openai.APIError):
        next(chunks)


def test_a_stream_that_fails_at_once_has_a_status(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="any", messages=user("x"), stream=True, extra_body={"fail_at": 0})


def test_a_failed_stream_leaves_the_server_to_the_next(client: OpenAI) -> None:
    for body in ({"fail_at": 1}, {}):
        chunks = client.chat.completions.create(model="any", messages=user("a b"), stream=True, extra_body=body)
        assert next(chunks).choices[0].delta.content == "a "
        chunks.close()
    assert client.chat.completions.create(model="any", messages=user("x")).choices[0].message.content == "x"
