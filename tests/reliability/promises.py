"""What `drum_server_api.yaml` promises, and a client that holds a server to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings, strategies
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from . import tables

API: dict[str, Any] = yaml.safe_load(Path(__file__).parents[2].joinpath("drum_server_api.yaml").read_text())
METHODS: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
FORM = "multipart/form-data"
PARTS = ("X", "X.colnames", "y", "arrow_version", "other")
MEDIA_TYPES = tuple(API["components"]["responses"]["Predictions"]["content"])
ACCEPT = strategies.sampled_from([None, *MEDIA_TYPES, "*/*", "text/*;q=0.5", "image/png", ";;q=x,"])
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]

AnyCase: TypeAlias = Case[Any]
Cases: TypeAlias = strategies.SearchStrategy[AnyCase]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]


def operations() -> list[Operation]:
    """Return what the file describes, but for the statuses that hooks choose: they would excuse every other."""
    for methods in API["paths"].values():
        for method in ("get", "post"):
            methods.get(method, {"responses": {}})["responses"].pop("default", None)
    for name, bodies in tables.BY_MEDIA_TYPE.items():
        schemathesis.openapi.media_type(name, bodies | strategies.binary())
    return [found.ok() for found in schemathesis.openapi.from_dict(API).get_all_operations()]  # type: ignore[union-attr]


def cases(operation: Operation) -> Cases:
    """Return requests as the file describes them, and, where there is a body, such as it does not."""
    good = operation.as_strategy(GenerationMode.POSITIVE)
    made = good | operation.as_strategy(GenerationMode.NEGATIVE) if operation.method == "post" else good
    return strategies.builds(_wishing, strategies.builds(_encoded, made, strategies.booleans()), ACCEPT)


def _encoded(case: AnyCase, has_encoding: bool) -> AnyCase:
    """Return a request, perhaps without the name of an encoding, which its body does not have."""
    if not has_encoding:
        case.headers.pop("Content-Encoding", None)
    return case


def _wishing(case: AnyCase, accept: str | None) -> AnyCase:
    """Return a request for an answer of some media type."""
    if accept is not None:
        case.headers["Accept"] = accept
    return case


def takes_table(operation: Operation) -> bool:
    """Say whether an operation is for tables."""
    return operation.tags in (["structured"], ["transform"])


def good_forms(operation: Operation) -> Cases:
    """Return forms that an operation can use."""

    def case(form: tables.Form) -> AnyCase:
        made = operation.Case(body={**form.parts}, media_type=FORM)
        made.multipart_content_types = form.types
        return made

    forms = tables.forms(with_target=operation.tags == ["transform"])
    return strategies.builds(_wishing, forms.map(case), ACCEPT)


def media_type_of(answer: Response) -> str:
    """Return what an answer holds."""
    return answer.headers["content-type"][0].partition(";")[0]


def any_forms(operation: Operation) -> Cases:
    """Return forms of any parts."""
    parts = strategies.dictionaries(strategies.sampled_from(PARTS), strategies.text(), min_size=1)
    return parts.map(lambda body: operation.Case(body={**body}, media_type=FORM))


@dataclass
class Tally:
    """What came back: statuses, whether forms with tables were answered, and which operations were."""

    statuses: Counter[int] = field(default_factory=Counter)
    forms: Counter[bool] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Client:
    """Sends requests to a server, the same ones each time if they are fixed, and compares its answers with the file."""

    base: str
    session: requests.Session
    tally: Tally
    is_fixed: bool

    def send_each(self, made: Cases, count: int, send: Callable[[AnyCase], object]) -> None:
        """Have so many requests sent."""

        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            derandomize=self.is_fixed,
            suppress_health_check=list(HealthCheck),
        )
        @given(made)
        def one(case: AnyCase) -> None:
            send(case)

        one()

    def send(self, case: AnyCase) -> Response:
        """Return what comes back, which is in the file."""
        answer = case.call(base_url=self.base, session=self.session, timeout=60)
        self.tally.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            self.tally.reached.add(case.operation.label)
        if case.media_type == FORM and takes_table(case.operation):
            self.tally.forms[answer.status_code == 200] += 1
        case.validate_response(answer, checks=CHECKS)
        return answer
