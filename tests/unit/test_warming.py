"""What is done before the first request: which models are called, and how they score from then on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, scale

from custom_model_runner import predictor, warming
from custom_model_runner.data import csv_pieces, csv_rows
from custom_model_runner.data.csv_rows import Rows
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Bare, Scores
from custom_model_runner.errors import RunnerError
from custom_model_runner.frameworks import bare
from custom_model_runner.model import Context

from .folders import pickled, plant

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
MODEL = pickled(LinearRegression().fit(FRAME, [0.5, 1.0, 2.5, 3.0]))
CSV = Payload(b"a,b\n0.5,2\n3,4.25\n", "text/csv")
SCHEMA = """
    name: checked
    type: inference
    targetType: regression
    typeSchema:
      input_requirements: [{field: number_of_columns, condition: EQUALS, value: 2}]
"""


@pytest.fixture(autouse=True)
def _a_busy_machine_makes_no_model_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bare, "WORTH_SECONDS", 60.0)


def refused(_: Rows) -> NoReturn:
    raise AssertionError("scored without a table")


def never(_table: object, _context: object) -> NoReturn:
    raise AssertionError("scored with a table")


def test_a_lone_estimator_scores_small_bodies_without_a_table_and_predicts_the_same(tmp_path: Path) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        warm = warming.warmed(cold)
        assert cold.bare is None
        assert warm.bare is not None
        without_model = replace(warm, model=replace(warm.model, score=never))
        assert without_model.score(CSV).values.tolist() == cold.score(CSV).values.tolist()


@pytest.mark.parametrize("body", [b"a,b\n1.5,\n", b"a,c\n1.5,2\n", b"a\n1.5\n"])
def test_what_an_estimator_refuses_is_refused_in_the_same_words(tmp_path: Path, body: bytes) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        words = []
        for subject in (cold, warming.warmed(cold)):
            with pytest.raises(RunnerError) as caught:
                subject.score(Payload(body, "text/csv"))
            words.append(str(caught.value))
        assert words[0] == words[1]


@pytest.mark.parametrize(
    "payload", [Payload(b'[{"a":1.5,"b":2}]', "application/json"), Payload(b'a,b\n"1.5",2\n', "text/csv")]
)
def test_other_bodies_become_tables(tmp_path: Path, payload: Payload) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        warm = replace(warming.warmed(cold), bare=Bare(refused))
        assert warm.score(payload).values.tolist() == cold.score(payload).values.tolist()


def test_a_table_is_made_where_scoring_without_one_gives_up(tmp_path: Path) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        assert replace(cold, bare=Bare(lambda _: None)).score(CSV).values.tolist() == cold.score(CSV).values.tolist()


@pytest.mark.parametrize("source", ["rows", "table"])
def test_an_integer_that_no_float_tells_from_its_neighbour_keeps_its_prediction(tmp_path: Path, source: str) -> None:
    keys = 2**53 + np.arange(4)
    model = make_pipeline(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), LinearRegression())
    model.fit(FRAME.assign(a=keys), [0.5, 1.0, 2.5, 3.0])
    with predictor.load(plant(tmp_path, {"model.pkl": pickled(model)})) as cold:
        warm = warming.warmed(cold)
        assert warm.bare is not None
        payload = Payload(b"a,b\n" + b"".join(b"%d,0.5\n" % key for key in keys), "text/csv")
        asked = payload if source == "rows" else replace(payload, table=cold.read(payload))
        assert warm.score(asked).values.tolist() == cold.score(asked).values.tolist()


LARGE = b"a,b\n" + b"0.5,2.25\n3.5,4.25\n" * 20


@pytest.fixture
def _pieces_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_pieces, "LEAST_BYTES", 100)
    monkeypatch.setattr(csv_pieces, "PIECE", 50)
    monkeypatch.setattr(csv_pieces, "PIECE_OF_COLUMN", 1)
    monkeypatch.setattr(csv_rows, "MOST_BYTES", 99)


@pytest.mark.usefixtures("_pieces_are_small")
def test_a_lone_estimator_scores_large_bodies_piece_by_piece_and_predicts_the_same(tmp_path: Path) -> None:
    sizes: list[int] = []
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        warm = warming.warmed(cold)

        def watched(table: pd.DataFrame, context: Context) -> Scores:
            sizes.append(len(table))
            assert warm.model.score is not None
            return warm.model.score(table, context)

        found = replace(warm, model=replace(warm.model, score=watched)).score(Payload(LARGE, "text/csv"))
        expected = cold.score(Payload(LARGE, "text/csv"))
    assert sum(sizes) == len(found) == 40
    assert max(sizes) < 10
    assert found.columns == expected.columns
    # The last bits depend on how many rows are predicted at a time.
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-12)


@pytest.mark.usefixtures("_pieces_are_small")
@pytest.mark.parametrize("row", [b"1.5,", b"1.5,text", b"1.5,2,3", b"1.5,inf", b'"1.5,2'])
def test_what_is_wrong_in_a_large_body_is_told_in_the_same_words(tmp_path: Path, row: bytes) -> None:
    payload = Payload(LARGE + row + b"\n" + LARGE.partition(b"\n")[2], "text/csv")
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        words = []
        for subject in (cold, warming.warmed(cold)):
            with pytest.raises(RunnerError) as caught:
                subject.score(payload)
            words.append(str(caught.value))
    assert words[0] == words[1]


@pytest.mark.usefixtures("_pieces_are_small")
@pytest.mark.parametrize("model", [make_pipeline(FunctionTransformer(scale), LinearRegression()), DummyRegressor()])
def test_what_a_model_makes_of_all_rows_at_once_it_makes_of_large_bodies_too(tmp_path: Path, model: Any) -> None:
    payload = Payload(LARGE, "text/csv")
    with predictor.load(plant(tmp_path, {"model.pkl": pickled(model.fit(FRAME, [0.5, 1.0, 2.5, 3.0]))})) as cold:
        np.testing.assert_allclose(warming.warmed(cold).score(payload).values, cold.score(payload).values)


@pytest.mark.usefixtures("_pieces_are_small")
def test_a_large_body_is_one_call_of_one_thread(tmp_path: Path) -> None:
    threads: list[int] = []
    entered: list[int] = []

    @contextmanager
    def slot() -> Iterator[None]:
        entered.append(threading.get_ident())
        yield

    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        warm = replace(warming.warmed(cold), slots=slot)

        def watched(table: pd.DataFrame, context: Context) -> Scores:
            threads.append(threading.get_ident())
            assert warm.model.score is not None
            return warm.model.score(table, context)

        replace(warm, model=replace(warm.model, score=watched)).score(Payload(LARGE, "text/csv"))
    assert len(threads) > 1
    assert {*threads, *entered} == {threading.get_ident()}
    assert len(entered) == 1


@pytest.mark.usefixtures("_pieces_are_small")
def test_large_bodies_whose_columns_change_their_type_are_scored_at_once(tmp_path: Path) -> None:
    payload = Payload(LARGE + b"1,2\n" * 40, "text/csv")
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        assert warming.warmed(cold).score(payload).values.tolist() == cold.score(payload).values.tolist()


def written_down(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what models are given from now on, as it comes."""
    calls: list[object] = []
    predict = LinearRegression.predict

    def write_down(self: LinearRegression, table: object) -> object:
        calls.append(table)
        return predict(self, table)

    monkeypatch.setattr(LinearRegression, "predict", write_down)
    return calls


@pytest.mark.parametrize("hook", ["transform", "post_process"])
def test_a_model_beside_code_is_called_without_the_code_and_tables_are_made_for_it(
    tmp_path: Path, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = written_down(monkeypatch)
    code = f"def {hook}(data, model):\n    raise AssertionError('called before the first request')\n"
    with predictor.load(plant(tmp_path, {"custom.py": code, "model.pkl": MODEL})) as cold:
        assert warming.warmed(cold).bare is None
    assert any(isinstance(table, pd.DataFrame) for table in calls)


def _beside(tmp_path: Path, code: str) -> predictor.Predictor:
    return predictor.load(plant(tmp_path, {"custom.py": code, "model.pkl": MODEL}))


@pytest.mark.parametrize(
    ("returned", "expected"),
    [("data", np.ndarray), ("data[['b', 'a']]", pd.DataFrame), ("data.astype('float32')", pd.DataFrame)],
)
def test_what_a_transform_hook_returns_reaches_the_estimator_as_an_array_where_that_is_the_same(
    tmp_path: Path, returned: str, expected: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _beside(tmp_path, f"def transform(data, model):\n    return {returned}\n") as cold:
        warm = warming.warmed(cold)
        calls = written_down(monkeypatch)
        assert warm.score(CSV).values.tolist() == cold.score(CSV).values.tolist()
    assert type(calls[0]) is expected


@pytest.mark.parametrize(
    "code",
    [
        "def transform(data, model):\n    return data.drop(columns='a')\n",
        "def transform(data, model):\n    return data.assign(a=float('nan'))\n",
        "def transform(data, model):\n    return data.assign(a=1e308 * 10)\n",
        "def transform(data, model):\n    return data.assign(a='text')\n",
        "def transform(data, model):\n    return data[:0]\n",
        "def transform(data, model):\n    return data[:1]\n",
        "def read_input_data(data):\n    return 'text'\n",
        "def post_process(predictions, model):\n    return predictions[:1]\n",
    ],
)
def test_what_hooks_get_wrong_is_refused_in_the_same_words(tmp_path: Path, code: str) -> None:
    words = []
    with _beside(tmp_path, code) as cold:
        for subject in (cold, warming.warmed(cold)):
            with pytest.raises(RunnerError) as caught:
                subject.score(CSV)
            words.append((type(caught.value), str(caught.value)))
    assert words[0] == words[1]


def test_what_a_hook_changes_in_the_model_counts_from_the_next_prediction_on(tmp_path: Path) -> None:
    code = "def transform(data, model):\n    model.intercept_ = model.intercept_ + 1\n    return data\n"
    with _beside(tmp_path, code) as cold:
        warm = warming.warmed(cold)
        first, second = (warm.score(CSV).values for _ in range(2))
    np.testing.assert_allclose(second, first + 1)


def test_a_table_that_somebody_looks_at_is_made(tmp_path: Path) -> None:
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL, "model-metadata.yaml": SCHEMA})) as checked:
        assert warming.warmed(checked).bare is None
        unchecked = replace(checked, model=replace(checked.model, check_in=None))
        assert warming.warmed(unchecked).bare is not None
        assert warming.warmed(replace(unchecked, reporter=lambda _: None)).bare is None


def test_predictions_without_a_table_are_checked_and_counted(tmp_path: Path) -> None:
    seen: list[int] = []
    with predictor.load(plant(tmp_path, {"model.pkl": MODEL})) as cold:
        warm = replace(cold, observers=(lambda one: seen.append(one.rows),))
        too_many = replace(warm, bare=Bare(lambda rows: Scores(np.ones(len(rows) + 1))))
        with pytest.raises(RunnerError, match="2 rows, but 3 predictions"):
            too_many.score(CSV)
        replace(warm, bare=Bare(lambda rows: Scores(np.ones(len(rows))))).score(CSV)
    assert seen == [0, 2]
