"""Hooks that fail or return what they may not: 500 with one clear message, and the server lives on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Server, serve

BINARY = """
import sys
import pandas

def score(data, model, **kwargs):
    wish = data["wish"][0]
    if wish == "exit":
        sys.exit(3)
    if wish == "silent exit":
        raise SystemExit
    if wish == "raise":
        raise KeyError("no such key")
    if wish == "http":
        from werkzeug.exceptions import NotFound
        raise NotFound("from a library")
    frame = pandas.DataFrame({"yes": [0.75] * len(data), "no": [0.25] * len(data)})
    return {
        "good": frame,
        "short": frame[:-1],
        "long": pandas.concat([frame, frame]),
        "sum": frame.assign(no=0.5),
        "nearly": frame.assign(no=0.25 + 1e-4),
        "close": frame.assign(no=0.25 + 1e-6),
        "missing": frame.assign(no=float("nan")),
        "negative": frame.assign(yes=1.5, no=-0.5),
        "words": frame.assign(yes="a", no="b"),
        "columns": frame.rename(columns={"no": "maybe"}),
        "one column": frame[["yes"]],
        "none": None,
        "list": [0.75],
        "array": frame.to_numpy(),
    }[wish]
"""
REGRESSION = """
import pandas

def transform(data, model):
    return {"tuple": (data, data), "series": data["wish"]}.get(data["wish"][0], data)

def score(data, model, **kwargs):
    return pandas.DataFrame({"Predictions": [1.0] * len(data)})

def post_process(predictions, model):
    return None if len(predictions) == 3 else predictions
"""
GOOD = (200, b'{"predictions":[{"yes":0.75,"no":0.25},{"yes":0.75,"no":0.25}]}')
FAULTS = {
    "exit": "score",
    "silent exit": "score",
    "raise": "no such key",
    "http": "NotFound",
    "short": "rows",
    "long": "rows",
    "sum": "do not add up to 1",
    "nearly": "do not add up to 1",
    "missing": "do not add up to 1",
    "negative": "",
    "words": "",
    "columns": "Expected predictions to have columns",
    "one column": "Expected predictions to have columns",
    "none": "NoneType",
    "list": "list",
    "array": "ndarray",
}


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(BINARY)
    labels = ["--positive-class-label", "yes", "--negative-class-label", "no"]
    with serve(folder, "--target-type", "binary", *labels) as server:
        yield server


@pytest.fixture(scope="module")
def regression(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(REGRESSION)
    with serve(folder, "--target-type", "regression") as server:
        yield server


def ask(server: Server, wish: str, rows: int = 2) -> tuple[int, bytes]:
    answer = server.post("/predict/", ("wish\n" + f"{wish}\n" * rows).encode(), "text/csv")
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, answer.content


@pytest.mark.parametrize("wish", FAULTS)
def test_a_failing_score_hook_is_500_and_the_next_request_is_answered(binary: Server, wish: str) -> None:
    answer = binary.post("/predict/", f"wish\n{wish}\n{wish}\n".encode(), "text/csv")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "application/json")
    message = answer.json()["message"]
    assert message.startswith("ERROR: ")
    assert FAULTS[wish] in message
    assert "Traceback" not in message
    assert ask(binary, "good") == GOOD
    assert binary.get("/health/").status_code == 200


def test_probabilities_that_add_up_nearly_are_taken(binary: Server) -> None:
    assert ask(binary, "close")[0] == 200


def test_an_exception_names_the_hook_and_itself(binary: Server) -> None:
    message = ask(binary, "raise")[1].decode()
    assert "score" in message
    assert "KeyError" in message


def test_wrong_columns_are_listed_beside_the_expected_ones(binary: Server) -> None:
    message = ask(binary, "columns")[1].decode()
    assert "['yes', 'no']" in message
    assert "maybe" in message


def test_the_same_worker_goes_on_after_an_exit_in_a_hook(binary: Server) -> None:
    before = pids(binary)
    for _ in range(3):
        assert ask(binary, "exit")[0] == 500
    assert pids(binary) == before


def pids(server: Server) -> set[int]:
    return {entry["pid"] for entry in server.get("/stats/").json()["drum_info"]}


@pytest.mark.parametrize(
    ("wish", "rows", "words"),
    [
        ("tuple", 2, "Transformation of the target variable is not supported by DRUM."),
        ("series", 2, "transform"),
        ("good", 3, "post_process"),
    ],
)
def test_the_other_hooks_are_held_to_their_contract_too(regression: Server, wish: str, rows: int, words: str) -> None:
    status, body = ask(regression, wish, rows)
    assert status == 500
    assert words in body.decode()
    assert ask(regression, "good") == (200, b'{"predictions":[1.0,1.0]}')
