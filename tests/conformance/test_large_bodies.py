"""Large CSV bodies of numbers, which a lone model scores piece by piece, under bounds on calls and time."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner.data import csv_pieces

from .conftest import Server, serve

# Two clients at a time have room, if each is one call.
BOUNDS = ("--threads", "2", "--max-queue", "0", "--request-timeout", "60")
FRAME = pd.DataFrame(np.random.default_rng(0).random((1000, 4)), columns=list("abcd"))
TARGET = FRAME.sum(axis="columns") + FRAME["a"] ** 2
MODEL = LinearRegression().fit(FRAME, TARGET)
TEXT = FRAME.to_csv(index=False).encode()
ROWS = TEXT.partition(b"\n")[2]
TIMES = csv_pieces.LEAST_BYTES // len(ROWS) + 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("code")
    (folder / "model.pkl").write_bytes(pickle.dumps(MODEL))
    with serve(folder, *BOUNDS) as server:
        yield server


def test_each_row_of_a_large_body_is_predicted_in_its_place_beside_other_calls(server: Server) -> None:
    body = TEXT + ROWS * TIMES
    with ThreadPoolExecutor(2) as clients:
        answers = list(clients.map(lambda _: server.post("/predict/", body, "text/csv"), range(4)))
    expected = np.tile(MODEL.predict(FRAME), TIMES + 1)
    for answer in answers:
        assert answer.status_code == 200, answer.text[:300]
        np.testing.assert_allclose(answer.json()["predictions"], expected, rtol=1e-9)


def test_what_is_wrong_at_the_end_of_a_large_body_is_refused_by_name(server: Server) -> None:
    answer = server.post("/predict/", TEXT + ROWS * TIMES + b"1,2,3,text\n", "text/csv")
    assert answer.status_code == 422
    assert "column d" in answer.json()["message"]
