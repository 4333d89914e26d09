"""Routes: the server and drum_server_api.yaml know the same ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.exceptions import HTTPException

from custom_model_runner import load
from custom_model_runner.errors import LoadError
from custom_model_runner.server.app import create_app, create_error_app
from custom_model_runner.settings import ServerSettings

from .tree import REPOSITORY, expect_none

Route = tuple[str, str]

CONTRACT = "drum_server_api.yaml"
GUIDE = "docs/server.md"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
# Answered by the framework for every route; nobody writes them down.
IMPLIED = frozenset({"HEAD", "OPTIONS"})


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The real application, for a folder with one hook that nobody calls."""
    folder = tmp_path_factory.mktemp("folder")
    (folder / "custom.py").write_text("def score(data, model): ...\n", encoding="utf-8")
    with load(folder, target_type="regression") as predictor:
        yield create_app(predictor, ServerSettings())


def error_application() -> Flask:
    """Return the real application of a folder that could not be loaded."""
    return create_error_app(LoadError("no reason"), ServerSettings())


def served_routes(app: Flask) -> set[Route]:
    """Return the method and path of everything that an application answers."""
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods or ()}


def plain(path: str) -> str:
    """Return one spelling of a path: no slash at its end, `{name}` for what varies."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", path).rstrip("/") or "/"


def twins(routes: Iterable[Route]) -> set[Route]:
    """Return routes with the twins of a trailing slash made one, without the implied methods."""
    return {(method, plain(path)) for method, path in routes if method not in IMPLIED}


def documented_routes(document: Mapping[str, Any]) -> set[Route]:
    """Return the method and path of everything that an API file describes."""
    return {
        (method.upper(), path)
        for path, operations in (document.get("paths") or {}).items()
        for method in operations
        if method.upper() in METHODS
    }


def route_complaints(served: Iterable[Route], documented: Iterable[Route]) -> list[str]:
    """Name every route that one side has and the other has not."""
    here, there = twins(served), twins(documented)
    return [
        *(f"{method} {path} is served and not in {CONTRACT}" for method, path in sorted(here - there)),
        *(f"{method} {path} is in {CONTRACT} and not served" for method, path in sorted(there - here)),
    ]


def twin_complaints(app: Flask) -> list[str]:
    """Name every spelling of a path, with and without a slash at its end, that is not answered as it is."""
    adapter = app.url_map.bind("localhost")
    complaints = []
    for method, path in sorted(twins(served_routes(app))):
        for spelling in {path, f"{path}/"} if path != "/" else {path}:
            try:
                adapter.match(spelling, method)
            except HTTPException as error:
                complaints.append(f"{method} {spelling} is answered with {error.code}")
    return complaints


def contract_complaints(document: object) -> list[str]:
    """Name what keeps a document from being a valid OpenAPI 3.1 file."""
    if not isinstance(document, Mapping):
        return [f"{CONTRACT}: is empty or no mapping"]
    if not str(document.get("openapi")).startswith("3.1."):
        return [f"{CONTRACT}: is OpenAPI {document.get('openapi')}, expected 3.1"]
    errors = OpenAPIV31SpecValidator(dict(document)).iter_errors()
    # The libraries that may do the work quote in their own ways, and some add the document.
    said = [(error.absolute_path, error.message.splitlines()[0].replace('"', "'")) for error in errors]
    return [f"{CONTRACT}: {'/'.join(map(str, path))}: {message}" for path, message in said]


def contract() -> Any:
    """Return the real API file as it is read."""
    return yaml.safe_load((REPOSITORY / CONTRACT).read_text(encoding="utf-8"))


def test_the_real_api_file_is_valid() -> None:
    expect_none(contract_complaints(contract()))


def test_the_server_and_the_api_file_know_the_same_routes(application: Flask) -> None:
    expect_none(route_complaints(served_routes(application), documented_routes(contract())))


def test_every_real_route_is_answered_with_and_without_a_slash_at_its_end(application: Flask) -> None:
    expect_none(twin_complaints(application))
    expect_none(twin_complaints(error_application()))


def test_a_folder_that_could_not_be_loaded_is_explained_on_the_probes_and_on_every_post_route() -> None:
    documented = documented_routes(contract())
    posts = {route for route in documented if route[0] == "POST"}
    probes = {("GET", path) for path in ("/", "/ping/", "/health/", "/livez", "/readyz", "/metrics")}
    assert probes <= documented
    assert twins(served_routes(error_application())) == twins(posts | probes)


def documented_endpoints(text: str) -> dict[Route, str]:
    """Return the endpoint of each route in the table of routes of a guide."""
    found: dict[Route, str] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) > 2 and cells[0] in METHODS:
            found |= {(cells[0], path): cells[-1].strip("`") for path in re.findall(r"`(/[^`]*)`", cells[1])}
    return found


def test_the_guide_names_the_endpoint_of_every_route_for_the_authors_of_extensions(application: Flask) -> None:
    served = {
        (method, plain(rule.rule)): rule.endpoint
        for rule in application.url_map.iter_rules()
        for method in rule.methods or ()
    }
    documented = documented_endpoints((REPOSITORY / GUIDE).read_text(encoding="utf-8"))
    assert {(method, plain(path)): endpoint for (method, path), endpoint in documented.items()} == {
        route: endpoint for route, endpoint in served.items() if route[0] not in IMPLIED
    }


def test_an_endpoint_is_read_from_each_row_of_the_table() -> None:
    table = "| method | path | answer | endpoint |\n|---|---|---|---|\n| GET | `/`, `/ping/` | yes | `api.ping` |\n"
    assert documented_endpoints(table) == {("GET", "/"): "api.ping", ("GET", "/ping/"): "api.ping"}


def operation(path: str = "/ping", **facts: Any) -> dict[str, Any]:
    """Return a small valid API file with one route."""
    answer = {"responses": {"200": {"description": "It lives."}}, **facts}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {path: {"get": answer}}}


def test_a_small_api_file_is_valid() -> None:
    assert contract_complaints(operation()) == []


def test_twins_of_a_trailing_slash_and_implied_methods_count_once() -> None:
    served = [("GET", "/"), ("GET", "/ping"), ("GET", "/ping/"), ("HEAD", "/ping"), ("OPTIONS", "/ping")]
    documented = [("GET", "/"), ("GET", "/ping/")]
    assert route_complaints(served, documented) == []


def test_what_varies_in_a_path_is_compared_by_its_name() -> None:
    assert route_complaints([("POST", "/models/<string:name>/infer")], [("POST", "/models/{name}/infer")]) == []


def test_a_route_on_one_side_only_is_a_complaint() -> None:
    assert route_complaints([("GET", "/ping/"), ("POST", "/fit/")], documented_routes(operation("/stats/"))) == [
        "GET /ping is served and not in drum_server_api.yaml",
        "POST /fit is served and not in drum_server_api.yaml",
        "GET /stats is in drum_server_api.yaml and not served",
    ]


@pytest.mark.parametrize(
    ("path", "complaint"), [("/a", "GET /a/ is answered with 404"), ("/a/", "GET /a is answered with 308")]
)
def test_a_path_without_its_twin_is_a_complaint(path: str, complaint: str) -> None:
    app = Flask("app", static_folder=None)
    app.add_url_rule(path, "a", lambda: "a")
    assert twin_complaints(app) == [complaint]


def test_the_same_path_with_another_method_is_another_route() -> None:
    assert route_complaints([("POST", "/ping")], [("GET", "/ping")]) == [
        "POST /ping is served and not in drum_server_api.yaml",
        "GET /ping is in drum_server_api.yaml and not served",
    ]


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (None, "drum_server_api.yaml: is empty or no mapping"),
        ({**operation(), "openapi": "3.0.3"}, "drum_server_api.yaml: is OpenAPI 3.0.3, expected 3.1"),
        (
            {key: value for key, value in operation().items() if key != "info"},
            "drum_server_api.yaml: : 'info' is a required property",
        ),
        (
            operation(responses={"200": {}}),
            "drum_server_api.yaml: paths//ping/get/responses/200: 'description' is a required property",
        ),
    ],
)
def test_a_broken_api_file_is_a_complaint(document: object, complaint: str) -> None:
    assert contract_complaints(document) == [complaint]
