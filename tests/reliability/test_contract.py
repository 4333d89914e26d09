"""Thousands of requests made from `drum_server_api.yaml`: servers whose hooks cannot fail keep to the file.

They are the same each time; `pytest --hypothesis-seed=N` makes others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import requests

from ..conformance.conftest import Server, serve
from .promises import (
    MEDIA_TYPES,
    METHODS,
    AnyCase,
    Client,
    Operation,
    Tally,
    any_forms,
    cases,
    good_forms,
    media_type_of,
    operations,
    takes_table,
)

TABLES = """
import pandas

def score(data, model, **kwargs):
    return pandas.DataFrame({"Predictions": [0.5] * len(data), "reason": ["none"] * len(data)})

def chat(params, model):
    said = {"object": "chat.completion", "choices": []}
    return ({**said, "object": "chat.completion.chunk"} for _ in range(3)) if params.get("stream") else said

def get_supported_llm_models(model):
    return [{"id": "m", "object": "model"}]
"""
LABELS = """
import pandas

def score(data, model, **kwargs):
    return pandas.DataFrame({"no": [0.25] * len(data), "yes": [0.75] * len(data)})
"""
TRANSFORM = """
import pandas

def transform(data, model, **kwargs):
    return pandas.DataFrame({"number": range(len(data))})
"""
UNSTRUCTURED = """
def score_unstructured(model, data, query, **kwargs):
    return data
"""
CONFIG = '{"target": {"name": "answer", "prediction_threshold": 0.3}}'
JSON = "application/json"
KEY = "one-of-the-api-keys"


@dataclass(frozen=True)
class Served:
    """The source of a folder, and how it is served."""

    source: str
    target_type: str
    words: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


LABELLED = ("--positive-class-label", "yes", "--negative-class-label", "no", "--deployment-config", "{config}")
SERVED = {
    "tables": Served(TABLES, "regression"),
    "transform": Served(TRANSFORM, "transform"),
    "unstructured": Served(UNSTRUCTURED, "unstructured"),
    "deployment": Served(LABELS, "binary", LABELLED, {"URL_PREFIX": "/my/pre"}),
    "keys": Served(TABLES, "regression", variables={"API_KEYS": KEY}),
}
OPERATIONS = operations()
PREDICTIONS = [operation for operation in OPERATIONS if operation.tags == ["structured"]]
CHATS = [operation for operation in OPERATIONS if operation.tags == ["chat"] and operation.method == "post"]
WITH_TABLES = [operation for operation in OPERATIONS if takes_table(operation)]
# The statuses of the file that are left when hooks do not fail, nothing is busy or slow, and bodies are small.
EXPECTED = {200, 400, 401, 405, 415, 422}


@pytest.fixture(scope="module")
def tally(pytestconfig: pytest.Config) -> Iterator[Tally]:
    tally = Tally()
    yield tally
    forms = f"{tally.forms.total()} forms, {tally.forms[True]} of them answered with 200"
    statuses = ", ".join(f"{number} x {status}" for status, number in sorted(tally.statuses.items()))
    seed = pytestconfig.getoption("hypothesis_seed") or "fixed"
    print(f"\nrequests made from the contract, seed {seed}: {tally.statuses.total()}, {forms}; {statuses}")


@pytest.fixture(scope="module")
def clients(
    tally: Tally, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[dict[str, Client]]:
    is_fixed = pytestconfig.getoption("hypothesis_seed") is None
    with ExitStack() as stack:
        servers = {
            kind: stack.enter_context(started(served, tmp_path_factory.mktemp(kind))) for kind, served in SERVED.items()
        }
        # Closed first: servers that end would wait a while for what it might still ask.
        session = stack.enter_context(requests.Session())
        session.trust_env = False
        # It would be sent instead of what a case wishes for.
        del session.headers["Accept"]
        made = {}
        for kind, server in servers.items():
            base = f"http://127.0.0.1:{server.port}{SERVED[kind].variables.get('URL_PREFIX', '')}"
            made[kind] = Client(base, session, tally, is_fixed)
        yield made
        logs = [server.log.read_text().splitlines() for server in servers.values()]
        assert [log for log in logs if len(log) > 1] == [], "more was logged than the start"


def started(served: Served, folder: Path) -> AbstractContextManager[Server]:
    """Return a server of a folder, which is made."""
    (folder / "custom.py").write_text(served.source)
    config = folder / "deployment.cfg"
    config.write_text(CONFIG)
    words = [word.format(config=config) for word in ("--target-type", served.target_type, *served.words)]
    return serve(folder, *words, env=served.variables)


def client_of(operation: Operation, clients: dict[str, Client]) -> Client:
    """Return the client of a folder that has what an operation asks for."""
    return clients[operation.tags[0] if operation.tags and operation.tags[0] in clients else "tables"]


def each(chosen: list[Operation]) -> pytest.MarkDecorator:
    """Have a test called for each of these operations."""
    return pytest.mark.parametrize("operation", chosen, ids=lambda operation: operation.label)


@each(OPERATIONS)
def test_a_server_keeps_to_the_file_whatever_it_is_sent(clients: dict[str, Client], operation: Operation) -> None:
    client = client_of(operation, clients)
    client.send_each(cases(operation), 200 if operation.method == "post" else 20, client.send)
    assert operation.label in client.tally.reached


@each(OPERATIONS)
def test_a_server_refuses_methods_that_are_not_in_the_file(clients: dict[str, Client], operation: Operation) -> None:
    client = client_of(operation, clients)
    for method in METHODS:
        if method == operation.method.upper():
            continue
        answer = client.send(operation.Case(method=method))
        assert answer.status_code == 405
        assert operation.method.upper() in answer.headers["allow"][0]


@each(WITH_TABLES)
def test_a_form_with_a_table_is_answered(clients: dict[str, Client], operation: Operation) -> None:
    client = client_of(operation, clients)

    def send(case: AnyCase) -> None:
        assert client.send(case).status_code == 200

    client.send_each(good_forms(operation), 150, send)


@each(WITH_TABLES)
def test_a_server_keeps_to_the_file_whatever_form_it_is_sent(clients: dict[str, Client], operation: Operation) -> None:
    client = client_of(operation, clients)
    client.send_each(any_forms(operation), 100, client.send)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_predictions_come_as_what_is_asked_for(clients: dict[str, Client], media_type: str) -> None:
    client = clients["tables"]

    def send(case: AnyCase) -> None:
        case.headers["Accept"] = media_type
        assert media_type_of(client.send(case)) == media_type

    client.send_each(good_forms(PREDICTIONS[0]), 5, send)


@each(CHATS)
def test_a_chat_may_be_a_stream(clients: dict[str, Client], operation: Operation) -> None:
    client = client_of(operation, clients)
    answer = client.send(operation.Case(body={"stream": True}, media_type=JSON))
    assert media_type_of(answer) == "text/event-stream"


@each(PREDICTIONS)
def test_a_server_of_a_deployment_keeps_to_the_file(clients: dict[str, Client], operation: Operation) -> None:
    client = clients["deployment"]

    def send(case: AnyCase) -> None:
        answer = client.send(case)
        assert media_type_of(answer) != JSON or list(answer.json()) == ["data"]

    client.send_each(good_forms(operation), 30, send)


@each(OPERATIONS)
def test_a_server_with_api_keys_keeps_to_the_file(clients: dict[str, Client], operation: Operation) -> None:
    client = clients["keys"]
    is_open = operation.definition.raw.get("security") == []

    def send(case: AnyCase, sent: dict[str, str], *, is_welcome: bool) -> None:
        for header in ("Authorization", "X-API-Key"):
            case.headers.pop(header, None)
        case.headers.update(sent)
        assert (client.send(case).status_code != 401) is is_welcome

    for sent in ({"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}):
        client.send_each(cases(operation), 5, partial(send, sent=sent, is_welcome=True))
    for sent in ({}, {"Authorization": "Bearer none"}, {"X-API-Key": "none"}, {"Authorization": f"Basic {KEY}"}):
        client.send_each(cases(operation), 5, partial(send, sent=sent, is_welcome=is_open))


def test_there_were_enough_requests_and_half_of_the_forms_were_good(tally: Tally) -> None:
    assert tally.statuses.total() >= 2000
    assert tally.reached == {operation.label for operation in OPERATIONS}
    assert tally.forms[True] >= tally.forms.total() / 2 >= 200
    assert set(tally.statuses) == EXPECTED
