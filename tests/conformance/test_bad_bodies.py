"""Whatever comes in: a refusal in one sentence or the right predictions, within bounded memory, and life goes on."""

from __future__ import annotations

import pickle
import re
import resource
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
from sklearn.linear_model import LinearRegression

from custom_model_runner import plugins

from .bad_bodies.bombs import ENCODERS, bomb
from .bad_bodies.case import GOOD, LIMIT, PREDICTED, WEIGHTS, Case, too_large
from .bad_bodies.forms import FORMS, cut_short, of_every_form, that_hooks_may_take, with_many_columns
from .bad_bodies.writers import csv, parquet
from .conftest import Server, serve
from .processes import DRUM, environment

# Addresses that a server may reserve beyond those that it has once its folder is loaded.
ROOM = 2 << 30
# It takes whatever the model would refuse.
HOOK = f"""
import pandas as pd

def score(data, model, **kwargs):
    return pd.DataFrame({{"Predictions": data.to_numpy(float) @ {WEIGHTS}}})
"""
REFUSALS = {400, 413, 415, 422}
LONGEST = 500
# Memory that ends is a refusal, too, but bodies must be refused before.
UNWANTED = re.compile(r"\n|Traceback|internal error|more memory than there is")
REGRESSION = ("--target-type", "regression")
INPUT_ERROR = 6
# Of which about the half is reserved before the table is opened.
BATCH_ADDRESSES = 4 << 30
BATCH: Mapping[str, Callable[[], bytes]] = {
    **{form.suffix: partial(cut_short, form) for form in FORMS.values()},
    ".csv": lambda: csv(GOOD).decode().encode("utf-16"),
    ".csv.gz": lambda: bomb(csv(GOOD), "gzip"),
    ".parquet.zst": lambda: bomb(parquet(GOOD), "zstd"),
}
LIMITS = ("--max-body-bytes", str(LIMIT), "--max-decoded-bytes", str(LIMIT))


def test_every_format_has_bad_bodies() -> None:
    assert {form.format for form in FORMS.values()} == {name for name, line in plugins.FORMATS.items() if line.reads}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [0.0, 0.0]])
    (folder / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit(rows, rows @ WEIGHTS)))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serve(folder, *LIMITS) as server:
        for process in family(server):
            size = process.memory_info().vms + ROOM
            resource.prlimit(process.pid, resource.RLIMIT_AS, (size, size))
        yield server


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hook")
    (folder / "custom.py").write_text(HOOK)
    return folder


@pytest.fixture(scope="module")
def coping(hook: Path) -> Iterator[Server]:
    with serve(hook, *REGRESSION, *LIMITS) as server:
        yield server


def family(server: Server) -> list[psutil.Process]:
    parent = psutil.Process(server.process.pid)
    return [parent, *parent.children(recursive=True)]


@pytest.mark.parametrize("name", FORMS)
def test_a_bad_body_is_refused_or_predicted_right(server: Server, name: str) -> None:
    form = FORMS[name]
    cases = {**of_every_form(form), **with_many_columns(form), **form.own()}
    check(server, cases, lambda body: server.post("/predict/", body, form.media_type))


@pytest.mark.parametrize("name", FORMS)
def test_a_bad_part_of_a_form_is_refused_or_predicted_right(server: Server, name: str) -> None:
    form = FORMS[name]
    part = f"X{form.suffix}"
    check(server, of_every_form(form), lambda body: server.post("/predict/", files={"X": (part, body)}))


@pytest.mark.parametrize("name", FORMS)
def test_a_hook_that_copes_predicts_what_is_missing_or_infinite(coping: Server, name: str) -> None:
    form = FORMS[name]
    check(coping, that_hooks_may_take(form), lambda body: coping.post("/predict/", body, form.media_type))


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("name", FORMS)
def test_10_gb_in_10_mb_are_refused_at_the_limit(server: Server, name: str, encoding: str) -> None:
    form = FORMS[name]
    headers = {"Content-Encoding": encoding}
    cases = {encoding: too_large(bomb(form.write(GOOD), encoding))}
    check(server, cases, lambda body: server.post("/predict/", body, form.media_type, headers=headers))


@pytest.mark.parametrize("suffix", BATCH)
def test_a_batch_is_refused_in_a_line(hook: Path, tmp_path: Path, suffix: str) -> None:
    source, output = tmp_path / f"table{suffix}", tmp_path / "predictions.csv"
    source.write_bytes(BATCH[suffix]())
    words = ["score", "--code-dir", hook, "--input", source, "--output", output, *REGRESSION, *LIMITS[2:]]
    command = ["sh", "-c", f'ulimit -v {BATCH_ADDRESSES >> 10}; exec "$@"', "sh", DRUM, *map(str, words)]
    done = subprocess.run(command, capture_output=True, env=environment(None), text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, output.exists()) == (INPUT_ERROR, "", False), done.stderr
    line, *others = done.stderr.splitlines()
    assert (line.startswith("drum: error: "), others, UNWANTED.search(line)) == (True, [], None)


def check(server: Server, cases: Mapping[str, Case], send: Callable[[bytes], requests.Response]) -> None:
    """Send cases one by one; a good request after each finds the same workers."""
    workers, wrong = family(server), {}
    for what, case in cases.items():
        answer = send(case.body)
        if not deserves(answer, case):
            wrong[what] = f"{answer.status_code} {answer.text[:LONGEST]}"
        assert predicts(server.post("/predict/", csv(GOOD), "text/csv"), PREDICTED), what
        assert family(server) == workers, what
    assert wrong == {}


def deserves(answer: requests.Response, case: Case) -> bool:
    return is_refusal(answer, case.words) if case.predictions is None else predicts(answer, case.predictions)


def predicts(answer: requests.Response, predictions: Sequence[float | None]) -> bool:
    """Say whether these are the predictions; sums may differ in the last bits."""
    return answer.status_code == 200 and answer.json()["predictions"] == pytest.approx(predictions)


def is_refusal(answer: requests.Response, words: str) -> bool:
    """Say whether an answer tells in one sentence what is wrong, long before memory ends."""
    if answer.status_code not in REFUSALS or list(answer.json()) != ["message"]:
        return False
    message = answer.json()["message"]
    is_sentence = message.startswith("ERROR: ") and len(message) < LONGEST and not UNWANTED.search(message)
    return is_sentence and words in message
