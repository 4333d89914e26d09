"""Every form of a request in which a table travels, and what each gives, from one table."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import scipy.io
from scipy.sparse import csr_matrix

from .conftest import Server, serve

# The sum of a row, weighted by the length of each column's name: it tells values and names apart.
SCORER = """

import pandas as pd

def score(data, model, **kwargs):
    weights = [len(str(name)) for name in data.columns]
    return pd.DataFrame({"Predictions": data.to_numpy(float) @ weights})
"""
VALUES = [[1.0, 0.0, 0.25], [0.0, 0.0, 2.0]]
NAMES = ["a", "bb", "ccc"]
PREDICTIONS = [1.75, 6.0]
# Without names the columns are 0, 1 and 2.
UNNAMED_PREDICTIONS = [1.25, 2.0]
CSV = b"a,bb,ccc\n1,0,0.25\n0,0,2\n"
LINE = b"1,0,0.25\n"
REPEATS = 600_000
LARGE = b"a,bb,ccc\n" + LINE * REPEATS
COLNAMES = "\n".join(NAMES).encode()


def matrix_market(values: list[list[float]]) -> bytes:
    out = io.BytesIO()
    scipy.io.mmwrite(out, csr_matrix(values))
    return out.getvalue()


MTX = matrix_market(VALUES)


@dataclass(frozen=True)
class Form:
    """One way of sending a table: parts of a form, or a body with its content type; and what is predicted for it."""

    parts: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    content_type: str | None = None
    predictions: list[float] = field(default_factory=lambda: PREDICTIONS)

    def send(self, server: Server, path: str) -> requests.Response:
        if self.parts:
            return server.post(path, files=self.parts)
        return server.post(path, self.body, self.content_type)


LARGE_PREDICTIONS = [PREDICTIONS[0]] * REPEATS
FORMS = {
    "csv, raw": Form(body=CSV, content_type="text/csv"),
    "csv, raw, 5 MB": Form(body=LARGE, content_type="text/csv", predictions=LARGE_PREDICTIONS),
    "csv, file": Form({"X": ("X.csv", CSV)}),
    "csv, field": Form({"X": (None, CSV)}),
    "csv, file of 5 MB": Form({"X": ("X.csv", LARGE)}, predictions=LARGE_PREDICTIONS),
    "csv, field of 5 MB": Form({"X": (None, LARGE)}, predictions=LARGE_PREDICTIONS),
    "csv, file and names it does not need": Form({"X": ("X.csv", CSV), "X.colnames": ("X.colnames", b"p\nq\nr")}),
    "mtx, raw": Form(body=MTX, content_type="text/mtx", predictions=UNNAMED_PREDICTIONS),
    "mtx, file": Form({"X": ("X.mtx", MTX)}, predictions=UNNAMED_PREDICTIONS),
    "mtx, file with a shouted suffix": Form({"X": ("X.MTX", MTX)}, predictions=UNNAMED_PREDICTIONS),
    "mtx, part with a content type": Form({"X": (None, MTX, "text/mtx")}, predictions=UNNAMED_PREDICTIONS),
    "mtx, file and names": Form({"X": ("X.mtx", MTX), "X.colnames": ("X.colnames", COLNAMES)}),
    "mtx, file and names as a field": Form({"X": ("X.mtx", MTX), "X.colnames": (None, COLNAMES)}),
    "mtx, names first": Form({"X.colnames": ("X.colnames", COLNAMES + b"\r\n"), "X": ("X.mtx", MTX)}),
}


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("scorer")
    (folder / "custom.py").write_text(SCORER)
    with serve(folder, "--target-type", "regression") as server:
        yield server


def test_the_large_table_is_large() -> None:
    assert len(LARGE) > 5_000_000


@pytest.mark.parametrize("name", FORMS)
def test_a_table_is_scored_in_every_form(scorer: Server, name: str) -> None:
    answer = FORMS[name].send(scorer, "/predict/")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"predictions": FORMS[name].predictions}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"X": ("X.mtx", CSV)}, "ERROR: The MatrixMarket input is broken"),
        ({"X": ("X.mtx", MTX[:-9])}, "ERROR: The MatrixMarket input is"),
        (
            {"X": ("X.mtx", b"%%MatrixMarket matrix coordinate real general\n9999999999 9999999999 1\n1 1 1\n")},
            "ERROR: The MatrixMarket header declares 9999999999 rows and 9999999999 columns",
        ),
        ({"X": ("X.mtx", MTX), "X.colnames": (None, b"a\nb")}, "ERROR: There are 2 column names for 3 columns"),
        ({"X": ("X.mtx", MTX), "X.colnames": (None, b"a\nb\na")}, "ERROR: Column names are given more than once: a"),
        (
            {"X": ("X.mtx", MTX), "X.colnames": (None, b"a\n\nb")},
            "ERROR: The form part X.colnames cannot be used: line 2",
        ),
        ({"X": ("X.mtx", MTX), "X.colnames": (None, b"\xff")}, "ERROR: The form part X.colnames cannot be used: "),
    ],
    ids=["csv", "cut", "huge", "too few names", "repeated name", "empty name", "names not text"],
)
def test_a_broken_matrix_is_refused_in_one_sentence(scorer: Server, parts: dict[str, Any], message: str) -> None:
    answer = scorer.post("/predict/", files=parts)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)
    assert scorer.post("/predict/", CSV, "text/csv").json() == {"predictions": PREDICTIONS}
