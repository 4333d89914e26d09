"""Thousands of requests made from `drum_server_api.yaml`: servers whose hooks cannot fail keep to the file."""

from __future__ import annotations

import io
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pandas
import pyarrow
import pyarrow.feather
import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from ..conformance.conftest import Server, serve

API: dict[str, Any] = yaml.safe_load(Path(__file__).parents[2].joinpath("drum_server_api.yaml").read_text())
TABLES = """
import pandas

def score(data, model, **kwargs):
    return pandas.DataFrame({"Predictions": [0.5] * len(data)})

def chat(params, model):
    said = {"object": "chat.completion", "choices": []}
    return ({**said, "object": "chat.completion.chunk"} for _ in range(3)) if params.get("stream") else said

def get_supported_llm_models(model):
    return [{"id": "m", "object": "model"}]
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
# The folder that answers an operation; the first answers all others.
FOLDERS = {"regression": TABLES, "transform": TRANSFORM, "unstructured": UNSTRUCTURED}
FOLDER_OF = {"transform": "transform", "predictUnstructured": "unstructured", "predictionsUnstructured": "unstructured"}
CASES = {"post": 200, "get": 15}
FORM_PATHS, FORMS = ("/predict/", "/predictions/", "/invocations", "/transform/"), 80
AnyCase: TypeAlias = Case[Any]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
PROMISES = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
PARTS = ("X", "X.colnames", "y", "arrow_version", "other")
FORM = "multipart/form-data"


def written(table: pandas.DataFrame, form: str) -> bytes:
    """Return a table in one of the binary formats."""
    sink = io.BytesIO()
    if form == "parquet":
        table.to_parquet(sink)
    elif form == "file":
        pyarrow.feather.write_feather(pyarrow.Table.from_pandas(table), sink, compression="uncompressed")
    else:
        arrow = pyarrow.Table.from_pandas(table)
        with pyarrow.ipc.new_stream(sink, arrow.schema) as writer:
            writer.write_table(arrow)
    return sink.getvalue()


NUMBERS = strategies.lists(strategies.floats(allow_nan=False, width=32), min_size=1, max_size=5)
COLUMN = NUMBERS.map(lambda numbers: pandas.DataFrame({"x": numbers}))
LINES = COLUMN.map(lambda table: table.to_json(orient="records", lines=True).encode())
JSON_TABLES = COLUMN.map(lambda table: table.to_json(orient="split"))
CSV_TABLES = COLUMN.map(lambda table: table.to_csv(index=False))
MATRICES = NUMBERS.map(
    lambda numbers: "\n".join(["%%MatrixMarket matrix array real general", f"{len(numbers)} 1", *map(str, numbers), ""])
)
BYTES = {
    "application/vnd.apache.arrow.stream": "stream",
    "application/x-apache-arrow-stream": "stream",
    "application/vnd.apache.arrow.file": "file",
    "application/vnd.apache.parquet": "parquet",
    "application/x-parquet": "parquet",
}
for name, form in BYTES.items():
    schemathesis.openapi.media_type(name, COLUMN.map(partial(written, form=form)) | strategies.binary())
for name in ("application/x-ndjson", "application/ndjson", "application/jsonlines", "application/x-jsonlines"):
    schemathesis.openapi.media_type(name, LINES | strategies.binary())

SCHEMA = schemathesis.openapi.from_dict(API)
OPERATIONS: list[Operation] = [found.ok() for found in SCHEMA.get_all_operations()]  # type: ignore[union-attr]


@dataclass(frozen=True)
class Form:
    """The parts of a form, and their content types."""

    parts: dict[str, str]
    types: dict[str, str]


@dataclass
class Tally:
    """What was sent and what came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    forms: Counter[bool] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)

    def note(self, operation: Operation, case: AnyCase, status: int, *, is_good: bool) -> None:
        """Count an answer."""
        self.statuses[status] += 1
        if case.media_type == FORM:
            self.forms[is_good] += 1
        if status < 300:
            self.reached.add(operation.label)


def server_for(operation: Operation, servers: dict[str, Server]) -> Server:
    """Return the server that has what an operation asks for."""
    return servers[FOLDER_OF.get(operation.definition.raw["operationId"], "regression")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        started = {}
        for kind, source in FOLDERS.items():
            folder = tmp_path_factory.mktemp(kind)
            (folder / "custom.py").write_text(source)
            started[kind] = stack.enter_context(serve(folder, "--target-type", kind))
        yield started


@pytest.fixture(scope="module")
def tally() -> Iterator[Tally]:
    tally = Tally()
    yield tally
    counts = f"{tally.statuses.total()} cases, of {tally.forms.total()} forms {tally.forms[True]} good"
    statuses = ", ".join(f"{number} x {status}" for status, number in sorted(tally.statuses.items()))
    print(f"\nrequests made from the contract: {counts}; {statuses}")


def cases(operation: Operation) -> strategies.SearchStrategy[AnyCase]:
    """Return requests as the file describes them, and, where there is a body, such as it does not."""
    good = operation.as_strategy(GenerationMode.POSITIVE)
    return good | operation.as_strategy(GenerationMode.NEGATIVE) if operation.method == "post" else good


def good_forms(operation: Operation) -> strategies.SearchStrategy[Form]:
    """Return forms that the operation can use."""
    csv = CSV_TABLES.map(lambda text: Form({"X": text}, {"X": "text/csv"}))
    split = JSON_TABLES.map(lambda text: Form({"X": text}, {"X": "application/json"}))
    named = {"X": "text/mtx", "X.colnames": "text/plain"}
    matrix = MATRICES.map(lambda text: Form({"X": text, "X.colnames": "x\n"}, named))
    if operation.label != "POST /transform/":
        return csv | split | matrix
    target = {"X": "text/csv", "y": "text/csv", "arrow_version": "text/plain"}
    return csv | matrix | CSV_TABLES.map(lambda text: Form({"X": text, "y": text, "arrow_version": "15.0.2"}, target))


def send(  # whom, what, how often
    server: Server,
    tally: Tally,
    operation: Operation,
    requests_to_send: strategies.SearchStrategy[AnyCase],
    count: int,
) -> None:
    """Send requests; every second one has no encoding, and a good form where it has a form."""
    every_second = itertools.cycle([True, False])
    with requests.Session() as session:
        session.trust_env = False

        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(requests_to_send, good_forms(operation))
        def one(case: AnyCase, form: Form) -> None:
            is_plain = next(every_second)
            if is_plain:
                case.headers.pop("Content-Encoding", None)
            is_good = is_plain and case.media_type == FORM
            if is_good:
                case.body, case.multipart_content_types = {**form.parts}, form.types
            answer = case.call(base_url=f"http://127.0.0.1:{server.port}", session=session)
            tally.note(operation, case, answer.status_code, is_good=is_good)
            assert answer.status_code == 200 or not is_good, answer.content
            case.validate_response(answer, checks=PROMISES)

        one()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_a_server_keeps_to_the_file_whatever_it_is_sent(
    servers: dict[str, Server], tally: Tally, operation: Operation
) -> None:
    send(server_for(operation, servers), tally, operation, cases(operation), CASES[operation.method])
    assert operation.label in tally.reached


@pytest.mark.parametrize("path", FORM_PATHS)
def test_a_server_keeps_to_the_file_when_it_is_sent_forms(servers: dict[str, Server], tally: Tally, path: str) -> None:
    operation = SCHEMA[path]["post"]
    parts = strategies.dictionaries(strategies.sampled_from(PARTS), strategies.text(), min_size=1)
    forms = parts.map(lambda body: operation.Case(body={**body}, media_type=FORM))
    send(server_for(operation, servers), tally, operation, forms, FORMS)


def test_there_were_enough_cases_and_half_of_the_forms_were_good(tally: Tally) -> None:
    assert tally.statuses.total() >= 2000
    assert tally.reached == {operation.label for operation in OPERATIONS}
    assert tally.forms.total() >= 300
    assert tally.forms[True] / tally.forms.total() >= 0.45
    assert not [status for status in tally.statuses if status >= 500]
