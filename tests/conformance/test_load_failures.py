"""Every route, for folders that load and folders that do not, with and without the error server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Server, serve
from .processes import drum

GOOD = """
def score(data, model, **kwargs):
    return data[["x"]]
"""
SOURCES = {
    "an ImportError": "import no_such_library\n" + GOOD,
    "a SyntaxError": "def score(:\n",
    "sys.exit": "import sys\nsys.exit('the licence is missing')\n" + GOOD,
    "a missing artifact": "def transform(data, model):\n    return data\n",
}
REASONS = {
    "an ImportError": "no_such_library",
    "a SyntaxError": "syntax",
    "sys.exit": "exit",
    "a missing artifact": "artifact",
}
PROBES = [("GET", "/"), ("GET", "/ping/"), ("GET", "/health/")]
FACTS = [("GET", "/info/"), ("GET", "/capabilities/"), ("GET", "/stats/")]
STRUCTURED = [("POST", "/predict/"), ("POST", "/predictions/"), ("POST", "/invocations")]
REFUSED = [("POST", "/transform/"), ("POST", "/predictUnstructured/"), ("POST", "/predictionsUnstructured/")]
UNKNOWN = [("GET", "/nowhere/"), ("POST", "/nowhere/")]
EVERY = PROBES + FACTS + STRUCTURED + REFUSED + UNKNOWN
CSV = b"x\n1\n2\n"
OK = {"message": "OK"}


def written(folder: Path, source: str) -> Path:
    (folder / "custom.py").write_text(source)
    return folder


@pytest.fixture(scope="module", params=[(), ("--with-error-server",)], ids=["plain", "error server"])
def good(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = written(tmp_path_factory.mktemp("good"), GOOD)
    with serve(folder, "--target-type", "regression", *request.param) as server:
        yield server


@pytest.fixture(scope="module", params=SOURCES)
def broken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Server]]:
    folder = written(tmp_path_factory.mktemp("broken"), SOURCES[request.param])
    with serve(folder, "--target-type", "regression", "--with-error-server") as server:
        yield request.param, server


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_a_good_folder_answers_the_same_with_and_without_the_error_server(good: Server, method: str, path: str) -> None:
    answer = good.request(method, path, data=CSV if method == "POST" else None)
    if (method, path) in PROBES:
        assert (answer.status_code, answer.json()) == (200, OK)
    elif (method, path) in STRUCTURED:
        assert (answer.status_code, answer.content) == (200, b'{"predictions":[1.0,2.0]}')
    else:
        expected = 200 if (method, path) in FACTS else 422 if (method, path) in REFUSED else 404
        assert answer.status_code == expected
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_a_broken_folder_answers_513_on_probes_and_post_routes_and_404_elsewhere(
    broken: tuple[str, Server], method: str, path: str
) -> None:
    failure, server = broken
    answer = server.request(method, path, data=CSV if method == "POST" else None)
    message = answer.json()["message"]
    assert list(answer.json()) == ["message"]
    assert message.startswith("ERROR: ")
    if (method, path) in FACTS + UNKNOWN:
        assert answer.status_code == 404
    else:
        assert answer.status_code == 513
        assert REASONS[failure] in message.lower()


@pytest.mark.parametrize("path", ["/ping", "/health", "/predict", "/invocations/"])
def test_a_broken_folder_answers_513_under_the_other_slash_form_too(broken: tuple[str, Server], path: str) -> None:
    method = "GET" if path in ("/ping", "/health") else "POST"
    assert broken[1].request(method, path).status_code == 513


@pytest.mark.parametrize("failure", SOURCES)
def test_without_the_error_server_the_process_ends_with_4_and_one_line(failure: str, tmp_path: Path) -> None:
    folder = written(tmp_path, SOURCES[failure])
    ended = drum("server", "--code-dir", folder, "--target-type", "regression", "--address", "127.0.0.1:0")
    lines = ended.stderr.decode().splitlines()
    assert (ended.returncode, len(lines)) == (4, 1), lines
    assert lines[0].startswith("drum: error: ")
    assert REASONS[failure] in lines[0].lower()


def test_the_variable_switches_the_error_server_on_under_a_prefix(tmp_path: Path) -> None:
    folder = written(tmp_path, SOURCES["an ImportError"])
    variables = {"WITH_ERROR_SERVER": "1", "URL_PREFIX": "my/pre", "TARGET_TYPE": "regression"}
    with serve(folder, env=variables) as server:
        for path in ("/", "/health/", "/my/pre", "/my/pre/", "/my/pre/ping"):
            assert server.get(path).status_code == 513
        assert server.post("/my/pre/predict/", CSV).status_code == 513
        assert server.post("/predict/", CSV).status_code == 404


def test_the_variable_set_to_0_leaves_the_error_server_off(tmp_path: Path) -> None:
    folder = written(tmp_path, SOURCES["an ImportError"])
    variables = {"WITH_ERROR_SERVER": "0", "TARGET_TYPE": "regression", "ADDRESS": "127.0.0.1:0"}
    assert drum("server", "--code-dir", folder, env=variables).returncode == 4


def test_the_broken_folder_of_two_workers_ends_with_4_and_one_line(tmp_path: Path) -> None:
    folder = written(tmp_path, SOURCES["an ImportError"])
    flags = ["--target-type", "regression", "--address", "127.0.0.1:0", "--max-workers", "2"]
    ended = drum("server", "--code-dir", folder, *flags)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (4, 1), ended.stderr
