"""The pipeline of a transform model: what is read, what is checked, and what is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from custom_model_runner import codedir
from custom_model_runner.data.observation import Observation
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.reply import Reply
from custom_model_runner.data.report import Report, Stats
from custom_model_runner.data.target import Target
from custom_model_runner.errors import ContractError, InputError, Unsupported
from custom_model_runner.metadata import Metadata
from custom_model_runner.model import Model, ModelInfo
from custom_model_runner.predictor import Predictor
from custom_model_runner.target_type import TargetType

CSV = Payload(b"a,b\n1,2\n3,4\n", "text/csv")
FOLDER = codedir.CodeDir(Path("/code"), "python", "hooks", None, (), Metadata())


def build(kind: TargetType = TargetType.TRANSFORM, **abilities: Any) -> Model:
    return Model(ModelInfo(Target(kind), FOLDER, None), **abilities)


def doubled(table: pd.DataFrame, _target: pd.DataFrame | None) -> pd.DataFrame:
    return table * 2


def test_a_table_is_transformed_and_its_target_goes_along() -> None:
    result = Predictor(build(convert=doubled)).transform(CSV, Payload(b"y\nno\nyes\n", "text/csv"))
    assert result.table.to_numpy().tolist() == [[2, 4], [6, 8]]
    assert result.target is not None
    assert result.target["y"].tolist() == ["no", "yes"]


def test_the_target_may_be_of_another_format_than_the_table() -> None:
    target = Payload(b'[{"y": 1}, {"y": 2}]', "application/json")
    found = Predictor(build(convert=doubled)).transform(CSV, target).target
    assert found is not None
    assert found["y"].tolist() == [1, 2]


def test_a_target_of_another_number_of_rows_is_an_input_error() -> None:
    with pytest.raises(InputError, match="The target has 1 rows, expected one for each of the 2 rows"):
        Predictor(build(convert=doubled)).transform(CSV, Payload(b"y\n1\n", "text/csv"))


def test_rows_that_get_lost_break_the_contract() -> None:
    with pytest.raises(ContractError, match="2 came in, but 1 went out"):
        Predictor(build(convert=lambda table, _: table[:1])).transform(CSV)


def test_the_schema_of_the_folder_is_checked_on_both_sides() -> None:
    def renamed(table: pd.DataFrame) -> pd.DataFrame:
        return table.rename(columns=lambda name: f"{name}!")

    model = build(convert=lambda table, _: table + table, check_in=renamed, check_out=renamed)
    assert list(Predictor(model).transform(CSV).table.columns) == ["a!!", "b!!"]


def test_rows_are_not_counted_where_a_hook_reads_no_table() -> None:
    model = build(read=lambda data: data.decode(), convert=lambda text, _: pd.DataFrame({"lines": text.split()}))
    assert len(Predictor(model).transform(CSV)) == 3


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        (build(TargetType.BINARY, score=lambda *_: None), "'binary', use the /predict/ or /predictions/ endpoint."),
        (
            build(TargetType.UNSTRUCTURED, answer=lambda *_: Reply(b"", "text/plain", True)),
            "'unstructured', use the /predictUnstructured/ or /predictionsUnstructured/ endpoint.",
        ),
    ],
    ids=["binary", "unstructured"],
)
def test_a_model_that_cannot_transform_names_the_endpoint_that_works(model: Model, endpoint: str) -> None:
    with pytest.raises(Unsupported) as caught:
        Predictor(model).transform(CSV)
    assert str(caught.value) == f"This model has target type {endpoint}"


def test_a_transform_model_names_its_endpoint() -> None:
    loaded = Predictor(build(convert=doubled))
    for call in (lambda: loaded.score(CSV), lambda: loaded.answer(CSV, {})):
        with pytest.raises(Unsupported, match="'transform', use the /transform/ endpoint"):
            call()


def test_each_call_is_observed_with_its_rows() -> None:
    seen: list[Observation] = []
    loaded = Predictor(build(convert=doubled), (seen.append,))
    loaded.transform(CSV)
    with pytest.raises(InputError):
        loaded.transform(CSV, Payload(b"", "text/csv"))
    assert [(one.rows, one.failure) for one in seen] == [(2, None), (0, "InputError")]


def test_the_rows_and_the_time_of_a_call_are_reported() -> None:
    reports: list[Report] = []
    Predictor(build(convert=doubled), reporter=reports.append).transform(CSV, request_id="r1")
    [report] = reports
    assert (report.request_id, report.samples) == ("r1", None)
    assert isinstance(report.stats, Stats)
    assert report.stats.num_predictions == 2
