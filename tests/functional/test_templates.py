"""Every model template is trained, scored and served by the commands of its own README."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .. import agreement, templates
from ..templates import (
    PATIENCE,
    ROOT,
    SAMPLES,
    Server,
    assert_same,
    build,
    documented,
    read_batch,
    read_response,
    run,
    served_by,
    serving,
    started,
    surroundings,
    value_after,
)
from .template_answers import APPROXIMATE, EXPECTED

TEMPLATES = sorted(set(templates.TEMPLATES) - templates.BEYOND_THE_CORE)


@pytest.fixture(scope="session", params=TEMPLATES)
def template(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(TEMPLATES, tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def place(template: str, workshop: Path) -> Iterator[Path]:
    """The workshop, while whatever else a template needs is running."""
    with surroundings(template, workshop):
        yield workshop


@pytest.fixture(scope="session")
def server(template: str, place: Path) -> Iterator[Server]:
    with serving(template, place) as server:
        yield server


def test_the_table_of_expectations_covers_every_template() -> None:
    assert sorted(EXPECTED) == TEMPLATES


def test_a_readme_shows_how_to_score_serve_and_ask(template: str) -> None:
    trained = (ROOT / "model_templates" / template / "train.py").exists()
    assert len(documented(template, f"{template}/train.py")) == int(trained)
    assert documented(template, "drum score")
    assert served_by(template)[0]
    assert documented(template, "curl")


def test_each_documented_score_command_prints_what_the_model_says(template: str, place: Path) -> None:
    for command in documented(template, "drum score"):
        source = place / value_after("--input", command)
        expected = EXPECTED[template](place / "model_templates" / template, source)
        found = read_batch(run(command, place), expected)
        assert_same(found, expected, exact=template not in APPROXIMATE)


def test_each_documented_request_gets_what_the_model_says(template: str, workshop: Path, server: Server) -> None:
    for command in documented(template, "curl"):
        source = next(word for word in command if "@" in word).partition("@")[2]
        expected = EXPECTED[template](workshop / "model_templates" / template, workshop / source)
        response = server.send(command, workshop)
        assert response.status_code == 200, response.text
        assert_same(read_response(response, expected), expected, exact=template not in APPROXIMATE)


@pytest.mark.parametrize("template", sorted(set(TEMPLATES) - agreement.WITHOUT_ROWS), indirect=True)
def test_batch_http_and_process_agree(template: str, place: Path, server: Server, tmp_path: Path) -> None:
    agreement.check(template, place, server, tmp_path)


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("template", names, indirect=True)


@only(*(name for name in TEMPLATES if (ROOT / "model_templates" / name / "train.py").exists()))
def test_training_again_elsewhere_writes_the_same_files(template: str, workshop: Path, tmp_path: Path) -> None:
    folder = workshop / "model_templates" / template
    again = tmp_path / "new" / "folder"
    run([sys.executable, str(folder / "train.py"), str(again)], tmp_path)
    written = {path.name for path in again.iterdir()}
    assert written & set(SAMPLES)
    assert len(written - set(SAMPLES)) == 1
    for name in written:
        assert (again / name).read_bytes() == (folder / name).read_bytes()


@only("python3_unstructured_mlops")
def test_the_model_that_reports_does_so_only_when_it_is_told_to(template: str, workshop: Path) -> None:
    reports = workshop / ".venv" / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    silent, told = documented(template, "drum score")
    run(silent, workshop)
    assert not reports.exists()
    run(told, workshop)
    [path] = reports.iterdir()
    stats, data = (json.loads(line) for line in path.read_text().splitlines())
    assert (stats["deployment_id"], stats["model_id"], stats["num_predictions"]) == ("ferries", "summer", 3)
    assert data["features"] == {
        "columns": ["temperature", "wind", "weekend"],
        "values": [[21, 18, 4], [2, 5, 12], [1, 0, 0]],
    }
    assert data["predictions"] == [156.5, 73.0, 0.0]
    assert data["association_ids"] == ["2026-07-04/09:30", "2026-07-06/09:30", "2026-11-10/17:00"]


def test_the_samples_hold_the_features_and_no_target(workshop: Path) -> None:
    samples = (workshop / "model_templates").glob("*/sample_input.csv")
    headers = {path.parent.name: re.split("[,;]", path.read_text().splitlines()[0]) for path in samples}
    petals = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    tumours = headers.pop("python3_sklearn_binary")
    assert (len(tumours), tumours[0]) == (30, "mean radius")
    assert headers == {
        "python3_sklearn": ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"],
        "python3_sklearn_multiclass": petals,
        "python3_hooks": petals,
        "python3_transform": petals,
    }


@only("python3_hooks")
def test_the_hooks_fill_gaps_and_keep_their_floor(server: Server) -> None:
    flowers = "petal width (cm);petal length (cm);sepal width (cm);sepal length (cm)\n0,2;;;5,0\n99;99;99;99\n"
    response = requests.post(f"http://{server.address}/predict/", files={"X": flowers}, timeout=PATIENCE)
    probable, certain = response.json()["predictions"]
    assert max(probable, key=probable.get) == "setosa"
    assert certain == pytest.approx({"setosa": 0.01, "versicolor": 0.01, "virginica": 0.98})


def test_the_hooks_template_has_every_structured_hook() -> None:
    hooks = {"init", "read_input_data", "load_model", "transform", "score", "post_process"}
    custom = (ROOT / "model_templates" / "python3_hooks" / "custom.py").read_text()
    assert set(re.findall(r"^def (\w+)", custom, re.MULTILINE)) == hooks


@only("python3_unstructured")
@pytest.mark.parametrize(
    ("sent", "content_type", "answer", "answered_type"),
    [
        (b"b a c b", "text/plain", "2 b\n1 c\n", "text/plain; charset=utf-8"),
        (b'["b", ""]', "application/json", '[{"b": 1}, {}]', "application/json"),
        (b"\xff\x00b", "image/png", "3 bytes of image/png\n", "text/plain; charset=utf-8"),
    ],
)
def test_the_word_counter_answers_in_kind(
    server: Server, sent: bytes, content_type: str, answer: str, answered_type: str
) -> None:
    url = f"http://{server.address}/predictUnstructured/"
    response = requests.post(url, sent, headers={"Content-Type": content_type}, timeout=PATIENCE)
    assert (response.status_code, response.text) == (200, answer)
    assert response.headers["Content-Type"].startswith(answered_type)


@only("python3_unstructured")
def test_the_word_counter_refuses_a_limit_that_is_no_number(server: Server) -> None:
    url = f"http://{server.address}/predictUnstructured/?top=few"
    response = requests.post(url, "a", headers={"Content-Type": "text/plain"}, timeout=PATIENCE)
    assert (response.status_code, response.json()) == (422, {"message": "top must be a whole number"})


@only("python3_chat")
def test_the_documented_client_is_told_what_the_desk_says(template: str, server: Server) -> None:
    readme = (ROOT / "model_templates" / template / "README.md").read_text(encoding="utf-8")
    program = readme.split("```python\n")[1].split("```")[0].replace("127.0.0.1:8080", server.address)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert done.stdout.decode() == "Bicycles travel free of charge, on the lower deck."


@only("python3_chat")
@pytest.mark.parametrize("messages", [[], [{"role": "user"}], [{"role": "assistant", "content": "x"}]])
def test_the_desk_refuses_what_is_no_question(server: Server, messages: list[dict[str, str]]) -> None:
    url = f"http://{server.address}/v1/chat/completions"
    response = requests.post(url, json={"messages": messages}, timeout=PATIENCE)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


@only("python3_runtime_params")
@pytest.mark.parametrize(
    ("variables", "prices"),
    [
        ({}, "4.0 4.5 5.25 64.0"),
        ({"MLOPS_RUNTIME_PARAM_ROUND_UP": '{"type": "boolean", "payload": true}'}, "4.0 5.0 6.0 64.0"),
    ],
)
def test_the_tariff_has_defaults_that_a_variable_replaces(
    template: str, workshop: Path, variables: dict[str, str], prices: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = documented(template, "drum score")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(command[: command.index("--runtime-params-file")], workshop).split() == ["Predictions", *prices.split()]


@only("python3_typed_schema")
def test_the_typed_schema_keeps_its_promises_and_refuses_as_its_readme_says(server: Server) -> None:
    url = f"http://{server.address}/predict/"
    same = requests.post(url, files={"X": "insured,postcode,kilograms\ntrue,01067,1.5\n"}, timeout=PATIENCE)
    assert same.json()["predictions"] == pytest.approx([9.6])
    heavy = requests.post(url, files={"X": "insured,postcode,kilograms\ntrue,01067,heavy\n"}, timeout=PATIENCE)
    readme = (ROOT / "model_templates" / "python3_typed_schema" / "README.md").read_text()
    promised = readme.partition("```text\n")[2].partition("\n```")[0].replace("\n", " ")
    assert (heavy.status_code, heavy.json()) == (422, json.loads(promised))


@only("flask_extension_httpauth")
@pytest.mark.parametrize(
    ("sent", "challenge"),
    [
        ({}, {"realm": "model server"}),
        ({"Authorization": "Basic YTpi"}, {"realm": "model server"}),
        ({"Authorization": "Bearer another"}, {"realm": "model server", "error": "invalid_token"}),
        ({"Authorization": "Bearer \xfc"}, {"realm": "model server", "error": "invalid_token"}),
        ({"Authorization": "Bearer "}, {"realm": "model server", "error": "invalid_token"}),
    ],
)
@pytest.mark.parametrize("path", ["/predict/", "/info/", "/nowhere"])
def test_without_the_token_nothing_is_told_but_how_to_ask(
    server: Server, path: str, sent: dict[str, str], challenge: dict[str, str]
) -> None:
    answer = requests.post(f"http://{server.address}{path}", headers=sent, timeout=PATIENCE)
    assert (answer.status_code, answer.json()["message"][:6]) == (401, "ERROR:")
    scheme, _, parameters = answer.headers["WWW-Authenticate"].partition(" ")
    assert (scheme, dict(re.findall(r'(\w+)="?([^",]*)', parameters))) == ("Bearer", challenge)


@only("flask_extension_httpauth")
@pytest.mark.parametrize("path", ["/", "/ping", "/health/"])
def test_the_probes_need_no_token(server: Server, path: str) -> None:
    assert requests.get(f"http://{server.address}{path}", timeout=PATIENCE).status_code == 200


@only("flask_extension_httpauth")
def test_the_former_token_is_accepted_while_there_is_one_and_no_token_is_no_server(
    template: str, workshop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command, _), source = served_by(template), {"X": b"light_metres,eye_metres\n1,0\n"}
    values = command.index("--runtime-params-file")
    bare = [*command[:values], *command[values + 2 :]]
    refused = subprocess.run(bare, cwd=workshop, capture_output=True, timeout=PATIENCE, check=False)
    assert (refused.returncode, b"ACCESS_TOKEN has no value" in refused.stderr) == (4, True)
    for name, token in (("ACCESS_TOKEN", "new"), ("FORMER_ACCESS_TOKEN", "old")):
        value = {"type": "credential", "payload": {"credentialType": "api_token", "apiToken": token}}
        monkeypatch.setenv(f"MLOPS_RUNTIME_PARAM_{name}", json.dumps(value))
    with started(bare, workshop) as server:
        for token, status in (("new", 200), ("old", 200), ("a-token-for-trying-out", 401)):
            headers = {"Authorization": f"Bearer {token}"}
            answer = requests.post(f"http://{server.address}/predict/", files=source, headers=headers, timeout=PATIENCE)
            assert answer.status_code == status
