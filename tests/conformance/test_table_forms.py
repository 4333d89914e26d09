"""Every form of a request in which a table travels, and what each gives, from one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import requests
from scipy.sparse import csr_matrix

from .. import matrix_market
from .conftest import Server, serve

# The sum of a row, weighted by the length of each column's name: it tells values and names apart.
SCORER = """

import pandas as pd

def score(data, model, **kwargs):
    weights = [len(str(name)) for name in data.columns]
    return pd.DataFrame({"Predictions": data.to_numpy(float) @ weights})
"""
# A table under new names; sparse tables stay sparse, and the target is added where it came along.
TRANSFORMER = """
def transform(data, model, target):
    data = data.rename(columns=lambda name: f" T {name}")
    return data if target is None or hasattr(data, "sparse") else data.assign(y=target.iloc[:, 0])
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


MTX = matrix_market.write(csr_matrix(VALUES))


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


def arrow_stream(table: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    content = pa.Table.from_pandas(table)
    with pa.ipc.new_stream(sink, content.schema) as writer:
        writer.write_table(content)
    written: bytes = sink.getvalue().to_pybytes()
    return written


ARROW = arrow_stream(pd.DataFrame(VALUES, columns=NAMES))
LARGE_PREDICTIONS = [PREDICTIONS[0]] * REPEATS
FORMS = {
    "csv, raw": Form(body=CSV, content_type="text/csv"),
    "csv, raw, 5 MB": Form(body=LARGE, content_type="text/csv", predictions=LARGE_PREDICTIONS),
    "csv, file": Form({"X": ("X.csv", CSV)}),
    "csv, field": Form({"X": (None, CSV)}),
    "csv, file of 5 MB": Form({"X": ("X.csv", LARGE)}, predictions=LARGE_PREDICTIONS),
    "csv, field of 5 MB": Form({"X": (None, LARGE)}, predictions=LARGE_PREDICTIONS),
    "csv, file and names it does not need": Form({"X": ("X.csv", CSV), "X.colnames": ("X.colnames", b"p\nq\nr")}),
    "arrow, raw": Form(body=ARROW, content_type="application/vnd.apache.arrow.stream"),
    "arrow, file": Form({"X": ("X.arrow", ARROW)}),
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


Y = b"target\nno\nyes\n"
Y_CSV = b"target\r\nno\r\nyes"
TRANSFORMED_CSV = b"T a,T bb,T ccc\r\n1,0,0.25\r\n0,0,2.0"
TRANSFORMED_WITH_Y = b"T a,T bb,T ccc,y\r\n1,0,0.25,no\r\n0,0,2.0,yes"
UNNAMED = {"X.format": b"sparse", "X.transformed": VALUES, "X.colnames": b"T 0\nT 1\nT 2"}
NAMED = {**UNNAMED, "X.colnames": b"T a\nT bb\nT ccc"}
DENSE = {"X.format": b"csv", "X.transformed": TRANSFORMED_CSV}
WITH_Y = {"X.format": b"csv", "X.transformed": TRANSFORMED_WITH_Y, "y.format": b"csv", "y.transformed": Y_CSV}
FROM_ARROW = {
    "X.format": b"csv",
    "X.transformed": TRANSFORMED_CSV.replace(b"1,0,", b"1.0,0.0,").replace(b"0,0,", b"0.0,0.0,"),
}
LARGE_DENSE = {
    "X.format": b"csv",
    "X.transformed": b"T a,T bb,T ccc\r\n" + LINE.replace(b"\n", b"\r\n") * (REPEATS - 1) + LINE.rstrip(),
}
AS_ARROW = {"X.format": b"arrow", "X.transformed": [dict(zip(NAMES, row, strict=True)) for row in VALUES]}

# What is sent, and the parts that come back.
TRANSFORMS: dict[str, tuple[Form, Mapping[str, Any]]] = {
    "csv, X only": (FORMS["csv, file"], DENSE),
    "csv, X as a field": (FORMS["csv, field"], DENSE),
    "csv, raw": (FORMS["csv, raw"], DENSE),
    "csv, X of 5 MB": (FORMS["csv, file of 5 MB"], LARGE_DENSE),
    "csv, X and y": (Form({"X": ("X.csv", CSV), "y": ("y.csv", Y)}), WITH_Y),
    "csv, y first and as a field": (Form({"y": (None, Y), "X": ("X.csv", CSV)}), WITH_Y),
    "mtx, X only": (FORMS["mtx, file"], UNNAMED),
    "mtx, raw": (FORMS["mtx, raw"], UNNAMED),
    "mtx, X and names": (FORMS["mtx, file and names"], NAMED),
    "mtx, X, names and y": (
        Form({"X": ("X.mtx", MTX), "X.colnames": ("X.colnames", COLNAMES), "y": ("y.csv", Y)}),
        {**NAMED, "y.format": b"csv", "y.transformed": Y_CSV},
    ),
    "arrow, X only": (FORMS["arrow, file"], FROM_ARROW),
    "arrow, raw": (FORMS["arrow, raw"], FROM_ARROW),
}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"X": ("X.mtx", CSV)}, "ERROR: The MatrixMarket input is broken"),
        ({"X": ("X.mtx", MTX[: MTX.rindex(b" ")])}, "ERROR: The MatrixMarket input is"),
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


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("transformer")
    (folder / "custom.py").write_text(TRANSFORMER)
    with serve(folder, "--target-type", "transform") as server:
        yield server


def parts_of(answer: requests.Response) -> dict[str, Message]:
    """Return the parts of an answer as a foreign parser reads them."""
    assert answer.status_code == 200, answer.text
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = message_from_bytes(head + answer.content)
    assert message.get_content_type() == "multipart/form-data"
    parts: Any = message.get_payload()
    return {part.get_param("name", header="content-disposition"): part for part in parts}


def contents_of(answer: requests.Response) -> dict[str, Any]:
    """Return what each part holds, matrices as lists of rows."""
    parts = parts_of(answer)
    found: dict[str, Any] = {name: part.get_payload(decode=True) for name, part in parts.items()}
    if found["X.format"] == b"sparse":
        found["X.transformed"] = matrix_market.read(found["X.transformed"]).toarray().tolist()
    return found


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_table_is_transformed_in_every_form(transformer: Server, name: str) -> None:
    form, expected = TRANSFORMS[name]
    assert contents_of(form.send(transformer, "/transform/")) == expected


def test_tables_are_files_and_what_they_are_is_text(transformer: Server) -> None:
    parts = parts_of(transformer.post("/transform/", files={"X": ("X.csv", CSV), "y": ("y.csv", Y)}))
    assert list(parts) == ["X.format", "X.transformed", "y.format", "y.transformed"]
    for name, part in parts.items():
        is_file = name.endswith(".transformed")
        assert part.get_filename() == (name if is_file else None)
        assert part.get_content_type() == ("application/octet-stream" if is_file else "text/plain")


@pytest.mark.parametrize("version", ["0.15.1", "15.0.2"])
def test_a_client_with_arrow_gets_streams(transformer: Server, version: str) -> None:
    parts = {"X": ("X.csv", CSV), "y": ("y.csv", Y), "arrow_version": (None, version)}
    found = contents_of(transformer.post("/transform/", files=parts))
    assert (found["X.format"], found["y.format"]) == (b"arrow", b"arrow")
    # As the clients of that time read it.
    table = pa.ipc.deserialize_pandas(found["X.transformed"])
    assert table.to_csv(index=False) == TRANSFORMED_WITH_Y.decode().replace("\r", "") + "\n"
    assert pa.ipc.deserialize_pandas(found["y.transformed"])["target"].tolist() == ["no", "yes"]


def test_a_sparse_table_stays_a_matrix_for_a_client_with_arrow(transformer: Server) -> None:
    found = contents_of(transformer.post("/transform/", files={"X": ("X.mtx", MTX), "arrow_version": "15.0"}))
    assert found == UNNAMED


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"y": ("y.csv", Y)}, "ERROR: Samples should be provided as: "),
        ({"X": ("X.csv", CSV), "y": ("y.csv", b"")}, "ERROR: The CSV input is empty"),
        (
            {"X": ("X.csv", CSV), "y": ("y.csv", b"t\n1\n")},
            "ERROR: The target has 1 rows, expected one for each",
        ),
        ({"X": ("X.csv", CSV), "arrow_version": (None, "new")}, "ERROR: The form part arrow_version holds no version"),
    ],
    ids=["no X", "empty y", "short y", "no version"],
)
def test_a_form_that_cannot_be_transformed_is_refused(transformer: Server, parts: dict[str, Any], message: str) -> None:
    answer = transformer.post("/transform/", files=parts)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)
    assert contents_of(transformer.post("/transform/", CSV, "text/csv")) == DENSE


@pytest.mark.parametrize("path", ["/predict/", "/predictions/", "/invocations", "/predictUnstructured/"])
def test_a_transform_model_names_its_route_elsewhere(transformer: Server, path: str) -> None:
    answer = transformer.post(path, CSV, "text/csv")
    expected = "ERROR: This model has target type 'transform', use the /transform/ endpoint."
    assert (answer.status_code, answer.json()) == (422, {"message": expected})


def test_another_model_names_its_route_to_those_who_want_to_transform(scorer: Server) -> None:
    answer = scorer.post("/transform/", CSV, "text/csv")
    expected = "ERROR: This model has target type 'regression', use the /predict/ or /predictions/ endpoint."
    assert (answer.status_code, answer.json()) == (422, {"message": expected})


def test_the_information_names_the_target(transformer: Server) -> None:
    assert transformer.get("/info/").json()["targetType"] == "transform"
