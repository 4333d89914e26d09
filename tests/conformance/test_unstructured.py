"""The table of unstructured calls, over HTTP and in batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from .. import warm
from ..warm import Run
from .conftest import Server, serve
from .processes import environment
from .unstructured_cases import CASES, EXIT_CODES, HOOK, TEXT, Case

by_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
RAISES_410 = "return=CustomHTTPError('gone',410)"


@dataclass(frozen=True)
class Ended:
    """What a batch command left."""

    exit_code: int
    stderr: str
    output: bytes | None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "custom.py").write_text(HOOK)
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serve(folder, "--target-type", "unstructured") as server:
        yield server


@pytest.fixture(scope="module")
def drum() -> Iterator[Run]:
    with warm.commands(environment) as run:
        yield run


def score(drum: Run, folder: Path, place: Path, case: Case) -> Ended:
    place.mkdir()
    (place / "in").write_bytes(case.body)
    flags = ["--query", case.query] if case.query else []
    flags += [] if case.content_type is None else ["--content-type", case.content_type]
    flags += ["--input", str(place / "in"), "--output", str(place / "out")]
    ended = drum("score", "--code-dir", folder, "--target-type", "unstructured", *flags)
    output = (place / "out").read_bytes() if (place / "out").exists() else None
    return Ended(ended.returncode, ended.stderr.decode(), output)


@pytest.fixture(scope="module")
def batch(drum: Run, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ended]:
    place = tmp_path_factory.mktemp("batch")
    return {case.name: score(drum, folder, place / str(number), case) for number, case in enumerate(CASES)}


def check_seen(case: Case, seen: dict[str, object], query: Mapping[str, str], extra: set[str]) -> None:
    data = case.data if isinstance(case.data, str) else case.data.decode("latin-1")
    assert (seen["type"], seen["data"]) == (type(case.data).__name__, data)
    assert seen["words"] == case.words
    assert seen["query"] == query
    assert seen["names"] == sorted({*case.words, "query", *extra})


@by_case
def test_the_table_over_http(server: Server, case: Case) -> None:
    headers = {"X-Mark": "here"}
    if case.content_type is not None:
        headers["Content-Type"] = case.content_type
    answer = server.post(f"/predictUnstructured/?{case.query}", case.body, headers=headers)
    assert answer.status_code == case.status, answer.text
    if case.status != 200:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["message"].startswith("ERROR: ")
    elif case.answer_type is not None:
        assert answer.headers["Content-Type"] == case.answer_type
        assert answer.content == case.answer
    else:
        seen = answer.json()
        check_seen(case, seen, case.seen_query, {"headers"})
        assert seen["headers"] == {"type": "dict", "mark": "here"}
        assert answer.headers["Content-Type"] == TEXT


@by_case
def test_the_table_in_batch(batch: Mapping[str, Ended], case: Case) -> None:
    ended = batch[case.name]
    assert ended.exit_code == EXIT_CODES[case.status], ended.stderr
    if case.status != 200:
        assert ended.output is None
        assert ended.stderr.startswith("drum: error: ")
        assert ended.stderr.count("\n") == 1
    elif case.answer_type is not None:
        assert ended.output == case.answer
    else:
        query = case.seen_query if case.seen_query_in_batch is None else case.seen_query_in_batch
        check_seen(case, json.loads(ended.output or b""), query, set())


def test_none_is_an_empty_text_over_http(server: Server) -> None:
    answer = server.post("/predictUnstructured/?return=None", b"abc")
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, TEXT, b"")


def test_none_is_a_short_note_in_batch(drum: Run, folder: Path, tmp_path: Path) -> None:
    ended = score(drum, folder, tmp_path / "none", Case("none", query="return=None"))
    assert ended.exit_code == 0
    assert ended.output is not None
    assert b"None" in ended.output
    assert len(ended.output) < 100


def test_both_routes_and_slash_forms_reach_the_hook(server: Server) -> None:
    for path in ("/predictUnstructured", "/predictionsUnstructured", "/predictionsUnstructured/"):
        answer = server.post(f"{path}?a=1", b"abc")
        assert (answer.status_code, answer.json()["query"]) == (200, {"a": "1"})


def test_the_query_over_http_keeps_every_value(server: Server) -> None:
    expression = "','.join(query.getlist('a'))"
    answer = server.post("/predictUnstructured/", b"", params={"a": ["1", "2"], "return": expression})
    assert answer.text == "1,2"


def test_an_error_that_user_code_chose_keeps_its_status_over_http(server: Server) -> None:
    answer = server.post("/predictUnstructured/?" + RAISES_410, b"abc")
    assert (answer.status_code, answer.json()) == (410, {"message": "gone"})
    assert answer.headers["X-Drum-User-Http-Error"] == "true"


def test_an_error_that_user_code_chose_is_exit_5_in_batch(drum: Run, folder: Path, tmp_path: Path) -> None:
    ended = score(drum, folder, tmp_path / "gone", Case("gone", query=RAISES_410))
    assert (ended.exit_code, ended.stderr) == (5, "drum: error: gone\n")


def test_a_media_type_cannot_smuggle_a_header(server: Server) -> None:
    expression = "('a', {'mimetype': 'text/plain\\r\\nX-Evil: 1'})"
    answer = server.post("/predictUnstructured/", b"abc", params={"return": expression})
    assert answer.status_code == 500
    assert "X-Evil" not in answer.headers


def test_without_an_output_the_bytes_go_to_a_piped_stdout(drum: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"\x00\xff\n")
    flags = ["--target-type", "unstructured", "--content-type", "image/png", "--query", "return=data"]
    ended = drum("score", "--code-dir", folder, "--input", tmp_path / "in", *flags)
    assert (ended.returncode, ended.stdout) == (0, b"\x00\xff\n")
