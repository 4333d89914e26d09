"""A server with a deployment config: answers of one object per row, and configs that end it at the start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openapi_schema_validator
import pytest
import yaml

from .conftest import Server, serve
from .processes import drum

SOURCE = """
import pandas

def score(data, model, **kwargs):
    return pandas.DataFrame({"no": 1 - data["x"], "yes": data["x"], "why": "x"})
"""
TARGET: Mapping[str, Any] = {"name": "ill", "type": "Binary", "class_mapping": {"no": 0, "yes": 1}}
LABELS = ["--positive-class-label", "yes", "--negative-class-label", "no", "--target-type", "binary"]
CSV = b"x\n0.25\n0.75\n"
API: dict[str, Any] = yaml.safe_load(Path(__file__).parents[2].joinpath("drum_server_api.yaml").read_text())


def written(folder: Path, **changes: Any) -> Path:
    (folder / "custom.py").write_text(SOURCE)
    (folder / "deployment.json").write_text(json.dumps({"target": {**TARGET, **changes}}))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = written(tmp_path_factory.mktemp("model"), prediction_threshold=0.75)
    with serve(folder, *LABELS, "--deployment-config", str(folder / "deployment.json")) as server:
        yield server


@pytest.mark.parametrize("path", ["/predict/", "/predictions/", "/invocations"])
def test_every_structured_route_answers_one_object_per_row(server: Server, path: str) -> None:
    raw, part = server.post(path, CSV, "text/csv"), server.post(path, files={"X": CSV})
    assert (raw.status_code, raw.headers["Content-Type"]) == (200, "application/json")
    assert raw.content == part.content
    low, high = raw.json()["data"]
    assert low == {
        "rowId": 0,
        "prediction": "no",
        "predictionThreshold": 0.75,
        "predictionValues": [{"label": "yes", "value": 0.25}, {"label": "no", "value": 0.75}],
        "extraModelOutput": {"why": "x"},
    }
    assert (high["rowId"], high["prediction"]) == (1, "no")


def test_the_answer_is_what_the_api_file_promises(server: Server) -> None:
    answer = API["components"]["responses"]["Predictions"]["content"]["application/json"]["schema"]
    validator = openapi_schema_validator.OAS31Validator({**answer, "components": API["components"]})
    body = server.post("/predict/", CSV).json()
    assert list(validator.iter_errors(body)) == []
    del body["data"][0]["rowId"]
    assert list(validator.iter_errors(body)) != []


@pytest.mark.parametrize(
    ("accept", "is_deployment"),
    [("application/json", True), ("text/html, */*", True), ("image/png", True), ("application/x-ndjson", False)],
)
def test_only_json_takes_this_shape(server: Server, accept: str, is_deployment: bool) -> None:
    answer = server.post("/predict/", CSV, headers={"Accept": accept})
    assert answer.content.startswith(b'{"data":[') is is_deployment
    assert answer.status_code == 200


def test_another_format_is_as_without_the_config(server: Server) -> None:
    answer = server.post("/predict/", CSV, headers={"Accept": "text/csv"})
    assert answer.content == b"no,yes,why\n0.75,0.25,x\n0.25,0.75,x\n"


def test_errors_keep_their_shape(server: Server) -> None:
    answer = server.post("/predict/", b"x\n2\n")
    assert (answer.status_code, list(answer.json())) == (500, ["message"])


def test_a_config_that_does_not_fit_ends_the_start_with_2_and_one_line(tmp_path: Path) -> None:
    folder = written(tmp_path, class_mapping={"no": 0, "perhaps": 1})
    config = ["--deployment-config", str(folder / "deployment.json"), "--address", "127.0.0.1:0"]
    ended = drum("server", "--code-dir", folder, *LABELS, *config)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1), ended.stderr
    assert b"names the labels ['no', 'perhaps']" in ended.stderr


def test_the_variable_names_the_file_too_and_the_error_server_explains_a_misfit(tmp_path: Path) -> None:
    folder = written(tmp_path, type="regression")
    variables = {"DEPLOYMENT_CONFIG": str(folder / "deployment.json")}
    with serve(folder, *LABELS, "--with-error-server", env=variables) as server:
        answer = server.post("/predict/", CSV)
        assert answer.status_code == 513
        assert "(regression) and that of the model (binary) differ" in answer.json()["message"]
