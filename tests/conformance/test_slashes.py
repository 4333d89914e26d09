"""Paths with and without slash and prefix: the same answer, and never a redirect."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from .conftest import Server, serve

SOURCE = """
def score(data, model, **kwargs):
    return data[["x"]]
"""
GET_PATHS = ["/", "/ping/", "/health/", "/info/", "/capabilities/", "/stats/"]
POST_PATHS = ["/predict/", "/predictions/", "/invocations"]
REFUSED_PATHS = ["/transform/", "/predictUnstructured/", "/predictionsUnstructured/"]
PROBES = ["/", "/ping/", "/health/"]
CSV = b"x\n1\n"


def both(paths: list[str]) -> list[str]:
    """Add the other slash form of each path."""
    forms = (form for path in paths for form in (path.rstrip("/"), path.rstrip("/") + "/"))
    return [form for form in forms if form]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, "--target-type", "regression") as server:
        yield server


@pytest.fixture(scope="module")
def prefixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(SOURCE)
    with serve(folder, "--target-type", "regression", env={"URL_PREFIX": "my/pre/"}) as server:
        yield server


@pytest.mark.parametrize("path", both(GET_PATHS))
def test_a_get_route_answers_200_in_both_forms(plain: Server, path: str) -> None:
    assert plain.get(path).status_code == 200


@pytest.mark.parametrize("path", both(GET_PATHS))
def test_a_get_route_answers_head_without_a_body(plain: Server, path: str) -> None:
    answer = plain.request("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", both(POST_PATHS))
def test_a_structured_route_predicts_in_both_forms(plain: Server, path: str) -> None:
    answer = plain.post(path, CSV, "text/csv")
    assert (answer.status_code, answer.content) == (200, b'{"predictions":[1.0]}')


@pytest.mark.parametrize("path", both(REFUSED_PATHS))
def test_a_route_of_other_models_refuses_in_both_forms(plain: Server, path: str) -> None:
    assert plain.post(path, CSV, "text/csv").status_code == 422


@pytest.mark.parametrize("path", ["/my/pre", *("/my/pre" + path for path in both(GET_PATHS))])
def test_a_get_route_answers_200_in_both_forms_under_the_prefix(prefixed: Server, path: str) -> None:
    assert prefixed.get(path).status_code == 200


@pytest.mark.parametrize("path", both(POST_PATHS))
def test_a_structured_route_predicts_in_both_forms_under_the_prefix(prefixed: Server, path: str) -> None:
    answer = prefixed.post("/my/pre" + path, CSV, "text/csv")
    assert (answer.status_code, answer.content) == (200, b'{"predictions":[1.0]}')


@pytest.mark.parametrize("path", both(REFUSED_PATHS))
def test_a_route_of_other_models_refuses_under_the_prefix_too(prefixed: Server, path: str) -> None:
    assert prefixed.post("/my/pre" + path, CSV, "text/csv").status_code == 422


@pytest.mark.parametrize("path", both(PROBES))
def test_a_probe_answers_without_the_prefix_too(prefixed: Server, path: str) -> None:
    answer = prefixed.get(path)
    assert (answer.status_code, answer.json()) == (200, {"message": "OK"})


@pytest.mark.parametrize("path", both(["/info/", "/capabilities/", "/stats/"]))
def test_a_fact_needs_the_prefix(prefixed: Server, path: str) -> None:
    assert prefixed.get(path).status_code == 404


@pytest.mark.parametrize("path", both(POST_PATHS + REFUSED_PATHS))
def test_a_post_route_needs_the_prefix(prefixed: Server, path: str) -> None:
    assert prefixed.post(path, CSV, "text/csv").status_code == 404


@pytest.mark.parametrize("path", ["/nowhere", "/ping/more", "/predict/x/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404_as_json(plain: Server, prefixed: Server, method: str, path: str) -> None:
    for server in (plain, prefixed):
        answer = server.request(method, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
        assert list(answer.json()) == ["message"]
        assert answer.json()["message"].startswith("ERROR: ")


# The first slashes of a path are one to WSGI; any other two name another path.
DOUBLED = [("//ping/", 200), ("//", 200), ("/ping//", 404), ("/my/pre//ping/", 404)]


@pytest.mark.parametrize(("path", "status"), DOUBLED)
def test_doubled_slashes_do_not_redirect(plain: Server, prefixed: Server, path: str, status: int) -> None:
    for server in (plain, prefixed):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        with closing(connection):
            connection.request("GET", path)
            assert connection.getresponse().status == status


WRONG = [("GET", path, "POST") for path in both(POST_PATHS + REFUSED_PATHS)]
WRONG += [("POST", path, "GET") for path in both(GET_PATHS)]
WRONG += [("DELETE", "/predict/", "POST"), ("PUT", "/info", "GET"), ("PATCH", "/", "GET")]


@pytest.mark.parametrize(("method", "path", "allowed"), WRONG)
def test_a_wrong_method_is_405_as_json_and_names_the_right_one(
    plain: Server, prefixed: Server, method: str, path: str, allowed: str
) -> None:
    for server, prefix in ((plain, ""), (prefixed, "/my/pre")):
        answer = server.request(method, prefix + path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/json")
        assert allowed in answer.headers["Allow"].split(", ")
        assert answer.json()["message"].startswith("ERROR: ")
