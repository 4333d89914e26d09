"""What a server sends is what `drum_server_api.yaml` promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi_schema_validator
import openapi_spec_validator
import pytest
import requests
import yaml

from .conftest import Server, serve

API: dict[str, Any] = yaml.safe_load(Path(__file__).parents[2].joinpath("drum_server_api.yaml").read_text())
SOURCE = """
import pandas
from datarobot_drum import CustomHTTPError

def score(data, model, **kwargs):
    if (data["x"] == 418).any():
        raise CustomHTTPError("a teapot", 418)
    if (data["x"] == 500).any():
        raise ValueError("broken")
    return pandas.DataFrame({"Predictions": data["x"], "extra": "more"})

def chat(params, model):
    if "status" in params:
        raise CustomHTTPError("as you wish", params["status"] + 0)
    return {"object": "chat.completion", "choices": []}

def get_supported_llm_models(model):
    return [{"id": "m", "object": "model"}]
"""
METADATA = """
name: numbers
type: inference
targetType: regression
typeSchema:
  input_requirements:
    - {field: number_of_columns, condition: EQUALS, value: 1}
"""
CALLS = [
    ("get", "/", None, 200),
    ("get", "/ping/", None, 200),
    ("get", "/health/", None, 200),
    ("get", "/livez", None, 200),
    ("get", "/readyz", None, 200),
    ("get", "/info/", None, 200),
    ("get", "/capabilities/", None, 200),
    ("get", "/metrics", None, 200),
    ("get", "/stats/", None, 200),
    ("post", "/predict/", b"x\n1\n2.5\n", 200),
    ("post", "/predictions/", b"x\n", 200),
    ("post", "/invocations", b"x\n", 200),
    ("post", "/predict/", b"", 422),
    ("post", "/predict/", b"x,y\n1,2\n", 422),
    ("post", "/predict/", b"x\n500\n", 500),
    ("post", "/predict/", b"x\n418\n", 418),
    ("post", "/transform/", b"x\n", 422),
    ("post", "/predictUnstructured/", b"x", 422),
    ("post", "/predictionsUnstructured/", b"x", 422),
    ("post", "/chat/completions", b'{"messages": []}', 200),
    ("post", "/v1/chat/completions", b'{"messages": []}', 200),
    ("post", "/chat/completions", b"[]", 400),
    ("post", "/chat/completions", b'{"status": 429}', 429),
    ("post", "/chat/completions", b'{"status": "none"}', 500),
    ("get", "/models", None, 200),
    ("get", "/v1/models", None, 200),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    (folder / "model-metadata.yaml").write_text(METADATA)
    with serve(folder, "--target-type", "regression", "--show-perf") as server:
        yield server


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference into the file."""
    found: Any = node
    if "$ref" in node:
        found = API
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return dict(found)


def promised(method: str, path: str, status: int) -> dict[str, Any]:
    responses = API["paths"][path][method]["responses"]
    return resolved(responses.get(str(status), responses.get("default")))


def check(answer: requests.Response, promise: dict[str, Any]) -> None:
    for name, header in promise["headers"].items():
        assert answer.headers.get(name) or not resolved(header).get("required")
    media_type = answer.headers["Content-Type"].split(";")[0]
    check_body(answer.json() if media_type == "application/json" else answer.text, promise, media_type)


def check_body(body: Any, promise: dict[str, Any], media_type: str) -> None:
    schema = {**promise["content"][media_type]["schema"], "components": API["components"]}
    validator = openapi_schema_validator.OAS31Validator(schema)
    assert [error.message for error in validator.iter_errors(body)] == []


def test_the_file_is_a_valid_description() -> None:
    openapi_spec_validator.validate(API)


@pytest.mark.parametrize(("method", "path", "body", "status"), CALLS)
def test_an_answer_has_the_promised_headers_and_shape(
    server: Server, method: str, path: str, body: bytes | None, status: int
) -> None:
    content_type = {"Content-Type": "application/json"} if "chat" in path else {}
    answer = server.request(method.upper(), path, data=body, headers=content_type)
    assert answer.status_code == status
    check(answer, promised(method, path, status))


def test_an_unknown_encoding_has_the_promised_headers_and_shape(server: Server) -> None:
    answer = server.post("/predict/", b"x\n1\n", headers={"Content-Encoding": "br"})
    assert answer.status_code == 415
    check(answer, promised("post", "/predict/", 415))


def test_an_unknown_path_and_a_wrong_method_have_the_promised_shape(server: Server) -> None:
    responses = API["components"]["responses"]
    check(server.get("/nowhere"), responses["NotFound"])
    check(server.get("/predict/"), responses["WrongMethod"])
    check(server.get("/chat/completions"), responses["ChatWrongMethod"])


def test_a_chat_that_is_no_json_has_the_promised_shape(server: Server) -> None:
    answer = server.post("/v1/chat/completions", b"{}", "text/plain")
    assert answer.status_code == 415
    check(answer, promised("post", "/v1/chat/completions", 415))


def test_the_check_notices_a_body_of_another_shape(server: Server) -> None:
    with pytest.raises(AssertionError, match="'message' is a required property"):
        check(server.get("/info/"), promised("get", "/", 200))


def test_every_path_is_called_here() -> None:
    assert {path for _, path, _, _ in CALLS} == set(API["paths"])


def test_the_file_has_the_version_of_the_server(server: Server) -> None:
    assert API["info"]["version"] == server.get("/").headers["X-Drum-Version"]
