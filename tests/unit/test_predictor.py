"""The pipeline: what is called when, by how many threads, and what is recorded."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd
import pytest

import custom_model_runner
from custom_model_runner import codedir, predictor
from custom_model_runner.data.observation import Observation
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.predictions import Scores
from custom_model_runner.data.reply import Reply
from custom_model_runner.data.report import Report
from custom_model_runner.data.target import Target
from custom_model_runner.errors import (
    ContractError,
    InputError,
    MissingColumns,
    SchemaError,
    Unsupported,
    UserCodeError,
)
from custom_model_runner.metadata import Metadata
from custom_model_runner.model import Context, Model, ModelInfo
from custom_model_runner.predictor import Predictor, open_predictor
from custom_model_runner.settings import ModelSettings
from custom_model_runner.target_type import TargetType

from .folders import plant

CSV = Payload(b"a,b\n1,2\n3,4\n", "text/csv")
SCORE = """
    import pandas as pd

    def score(data, model, **kwargs):
        return pd.DataFrame({"Predictions": data["a"] / 2})
"""


def ones(table: Any, _context: Context) -> Scores:
    return Scores(np.ones(len(table)))


def build(kind: TargetType = TargetType.REGRESSION, framework: str | None = None, **abilities: Any) -> Model:
    folder = codedir.CodeDir(Path("/code"), "python", "hooks", None, (), Metadata())
    return Model(ModelInfo(Target(kind), folder, framework), **abilities)


def raise_user_error(*_: Any) -> NoReturn:
    raise UserCodeError("the user's affair")


def test_a_payload_is_read_transformed_scored_and_post_processed() -> None:
    model = build(
        read=lambda data: pd.DataFrame({"x": [float(len(data))]}),
        transform=lambda table: table * 10,
        score=lambda table, _: Scores(table["x"].to_numpy()),
        post_process=lambda frame: Scores(frame["Predictions"].to_numpy() + 1),
    )
    assert Predictor(model).score(CSV).values.tolist() == [[10.0 * len(CSV.data) + 1]]


def test_a_payload_is_read_as_csv_when_no_hook_reads() -> None:
    model = build(score=lambda table, _: Scores(table["b"].to_numpy()))
    assert Predictor(model).score(CSV).values.tolist() == [[2.0], [4.0]]


def test_a_hook_that_reads_gets_any_format() -> None:
    model = build(read=lambda data: pd.DataFrame({"x": [1]}), score=ones)
    assert len(Predictor(model).score(Payload(b"\x00", "image/png"))) == 1


def test_another_format_is_refused_when_no_hook_reads() -> None:
    with pytest.raises(Unsupported, match="payload format 'image/png' is not supported"):
        Predictor(build(score=ones)).score(Payload(b"\x00", "image/png"))


def refuse(table: pd.DataFrame) -> NoReturn:
    raise SchemaError(f"{len(table)} rows")


@pytest.mark.parametrize("read", [None, lambda data: pd.DataFrame({"x": [1, 2]})])
def test_a_table_is_checked_before_anything_is_done_with_it(read: Any) -> None:
    seen: list[Observation] = []
    model = build(read=read, transform=raise_user_error, score=ones, check_in=refuse)
    with pytest.raises(SchemaError, match="2 rows"):
        Predictor(model, (seen.append,)).score(CSV)
    assert [observation.failure for observation in seen] == ["SchemaError"]


def test_a_table_without_rows_is_checked_too() -> None:
    model = build(framework="scikit-learn", score=ones, check_in=refuse)
    with pytest.raises(SchemaError, match="0 rows"):
        Predictor(model).score(Payload(b"a\n", "text/csv"))


def test_the_model_gets_the_table_that_the_check_returns() -> None:
    model = build(score=lambda table, _: Scores(table.to_numpy()), check_in=lambda table: table[["b"]])
    assert Predictor(model).score(CSV).values.tolist() == [[2.0], [4.0]]


def test_columns_of_text_are_read_as_text() -> None:
    model = build(score=lambda table, _: Scores(table["a"].str.len().to_numpy()), text_columns=frozenset({"a"}))
    assert Predictor(model).score(Payload(b"a,b\n007,1\n", "text/csv")).values.tolist() == [[3.0]]


def test_what_is_no_table_is_not_checked() -> None:
    model = build(read=lambda data: [1, 2, 3], score=ones, check_in=refuse)
    assert len(Predictor(model).score(CSV)) == 3


def test_a_score_function_is_told_about_the_call() -> None:
    seen: list[Context] = []

    def spy(table: Any, context: Context) -> Scores:
        seen.append(context)
        return ones(table, context)

    Predictor(build(score=spy)).score(CSV, charset="utf8")
    assert seen == [Context(CSV.data, "text/csv", "utf8")]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_predictions_than_rows_breaks_the_contract(count: int) -> None:
    with pytest.raises(ContractError, match="2 rows"):
        Predictor(build(score=lambda table, _: Scores(np.ones(count)))).score(CSV)


def test_rows_that_transform_adds_are_too_many() -> None:
    model = build(transform=lambda table: pd.concat([table, table]), score=ones)
    with pytest.raises(ContractError, match="2 rows, but 4 predictions"):
        Predictor(model).score(CSV)


def test_a_post_processing_that_loses_rows_breaks_the_contract() -> None:
    model = build(score=ones, post_process=lambda frame: Scores(frame.to_numpy()[:1]))
    with pytest.raises(ContractError, match="2 rows, but 1"):
        Predictor(model).score(CSV)


def test_post_processing_keeps_the_extra_columns() -> None:
    extra = pd.DataFrame({"why": ["x", "y"]})
    model = build(
        score=lambda table, _: Scores(np.ones(2), None, extra), post_process=lambda frame: Scores(frame.to_numpy() * 2)
    )
    result = Predictor(model).score(CSV)
    assert (result.values.tolist(), result.extra) == ([[2.0], [2.0]], extra)


def test_a_framework_is_not_asked_about_no_rows() -> None:
    result = Predictor(build(framework="scikit-learn", score=raise_user_error)).score(Payload(b"a,b\n"))
    assert (result.columns, len(result)) == (("Predictions",), 0)


def test_no_hook_but_the_one_that_reads_is_asked_about_no_rows() -> None:
    model = build(
        read=lambda data: pd.DataFrame({"x": []}),
        transform=raise_user_error,
        score=raise_user_error,
        post_process=raise_user_error,
    )
    result = Predictor(model).score(CSV)
    assert (result.columns, len(result)) == (("Predictions",), 0)


def lack_city(table: pd.DataFrame, _context: object = None) -> NoReturn:
    raise MissingColumns("lacks 1 of the columns: b", frozenset({"b"}))


def test_the_columns_of_no_rows_are_checked() -> None:
    model = build(framework="scikit-learn", score=raise_user_error, check_columns=lack_city)
    with pytest.raises(InputError, match="The input lacks 1 of the columns: b"):
        Predictor(model).score(Payload(b"foo,bar\n"))


def test_columns_that_a_hook_would_make_of_no_rows_are_not_checked() -> None:
    model = build(transform=raise_user_error, score=raise_user_error, check_columns=lack_city)
    assert len(Predictor(model).score(Payload(b"foo,bar\n"))) == 0


@pytest.mark.parametrize(("data", "kind"), [(b"a,b\n1,2\n", ContractError), (b"a,c\n1,2\n", InputError)])
def test_columns_are_the_fault_of_the_hook_that_lost_them(data: bytes, kind: type[Exception]) -> None:
    def drop(table: pd.DataFrame) -> pd.DataFrame:
        table.pop(table.columns[1])
        return table

    with pytest.raises(kind, match=r"^The table that the transform hook returned lacks 1 of the columns: b$"):
        Predictor(build(framework="scikit-learn", transform=drop, score=lack_city)).score(Payload(data))


@pytest.mark.parametrize(
    ("framework", "post_process", "words"),
    [
        (None, None, r"\(returned by the score hook\)$"),
        ("scikit-learn", None, "but found values of type complex128$"),
        ("scikit-learn", lambda frame: Scores(frame.to_numpy() * 1j), r"\(returned by the post_process hook\)$"),
    ],
)
def test_a_broken_contract_names_the_hook(framework: str | None, post_process: Any, words: str) -> None:
    score = ones if post_process else lambda table, _: Scores(np.ones(len(table)) * 1j)
    with pytest.raises(ContractError, match=words):
        Predictor(build(framework=framework, score=score, post_process=post_process)).score(CSV)


def test_a_model_that_cannot_score_names_the_endpoint_that_works() -> None:
    with pytest.raises(Unsupported) as caught:
        Predictor(build(TargetType.UNSTRUCTURED, answer=lambda *_: Reply(b"", "text/plain", True))).score(CSV)
    assert str(caught.value) == (
        "This model has target type 'unstructured', "
        "use the /predictUnstructured/ or /predictionsUnstructured/ endpoint."
    )


def test_a_model_that_cannot_answer_names_the_endpoint_that_works() -> None:
    with pytest.raises(Unsupported, match=r"'regression', use the /predict/ or /predictions/ endpoint\."):
        Predictor(build(score=ones)).answer(CSV, {})


def test_an_unstructured_model_answers() -> None:
    reply = Reply(b"hello", "text/plain", True)
    model = build(
        TargetType.UNSTRUCTURED, answer=lambda payload, question: reply if question.query == {"a": "1"} else None
    )
    assert Predictor(model).answer(CSV, {"a": "1"}) is reply


# Threads.


def meetings(slots: Any, patience: float) -> int:
    """Count the calls that met another inside the model."""
    door = threading.Barrier(2)
    met: list[bool] = []

    def wait_for_company(table: Any, context: Context) -> Scores:
        try:
            door.wait(patience)
            met.append(True)
        except threading.BrokenBarrierError:
            door.reset()
        return ones(table, context)

    model = build(score=wait_for_company)
    loaded = Predictor(model, slots=lambda: slots) if slots else Predictor(model)
    with ThreadPoolExecutor(2) as pool:
        for call in [pool.submit(loaded.score, CSV) for _ in range(2)]:
            call.result()
    return len(met)


def test_one_thread_at_a_time_is_inside_a_model() -> None:
    assert meetings(None, patience=0.1) == 0


@pytest.mark.parametrize("slots", [threading.BoundedSemaphore(2), nullcontext()], ids=["two slots", "no bound"])
def test_threads_meet_inside_a_model_that_allows_it(slots: Any) -> None:
    assert meetings(slots, patience=30) == 2


def test_the_thread_that_reads_is_inside_the_model_too() -> None:
    lock = threading.Lock()
    model = build(read=lambda data: pd.DataFrame({"locked": [lock.locked()]}), score=lambda t, _: Scores(t.to_numpy()))
    assert Predictor(model, slots=lambda: lock).score(CSV).values.tolist() == [[1.0]]


def test_a_failed_call_leaves_the_model() -> None:
    lock = threading.Lock()
    with pytest.raises(UserCodeError):
        Predictor(build(score=raise_user_error), slots=lambda: lock).score(CSV)
    assert not lock.locked()


# What is recorded.


def test_each_call_is_observed_with_its_rows() -> None:
    seen: list[Observation] = []
    Predictor(build(score=ones), (seen.append,)).score(CSV)
    assert [(one.rows, one.failure) for one in seen] == [(2, None)]
    assert seen[0].seconds > 0


@pytest.mark.parametrize(
    ("payload", "failure"), [(CSV, "UserCodeError"), (Payload(b""), "InputError")], ids=["user code", "input"]
)
def test_a_failed_call_is_observed_with_its_failure(payload: Payload, failure: str) -> None:
    seen: list[Observation] = []
    with pytest.raises((UserCodeError, InputError)):
        Predictor(build(score=raise_user_error), (seen.append,)).score(payload)
    assert [(one.rows, one.failure) for one in seen] == [(0, failure)]


def test_an_answer_is_observed_as_one_row() -> None:
    seen: list[Observation] = []
    model = build(TargetType.UNSTRUCTURED, answer=lambda *_: Reply(b"", "text/plain", True))
    Predictor(model, (seen.append,)).answer(CSV, {})
    assert [one.rows for one in seen] == [1]


# What is reported.


def reports_of(model: Model, payload: Payload = CSV) -> list[Report]:
    reports: list[Report] = []
    Predictor(model, reporter=reports.append).score(payload, request_id="r1")
    return reports


def test_a_call_is_reported_with_its_request_its_table_and_its_predictions() -> None:
    before = time.time()
    [report] = reports_of(build(score=lambda table, _: Scores(table["b"].to_numpy())))
    assert (report.request_id, before <= report.time <= time.time()) == ("r1", True)
    assert report.stats is not None
    assert (report.stats.num_predictions, 0 < report.stats.execution_time_ms < 60_000) == (2, True)
    assert report.samples is not None
    assert report.samples.features is not None
    assert report.samples.features.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert report.samples.predictions is not None
    assert (report.samples.predictions.tolist(), report.samples.class_names) == ([2.0, 4.0], None)


def test_probabilities_are_reported_in_the_order_of_the_labels() -> None:
    target = Target(TargetType.BINARY, ("no", "yes"))
    model = build(score=lambda table, _: Scores(np.array([[0.75, 0.25], [1, 0]]), ["yes", "no"]))
    [report] = reports_of(replace(model, info=replace(model.info, target=target)))
    assert report.samples is not None
    assert report.samples.predictions is not None
    assert (report.samples.class_names, report.samples.predictions.tolist()) == (("no", "yes"), [[0.25, 0.75], [0, 1]])


def test_features_are_reported_as_they_were_before_hooks_changed_them() -> None:
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        table["a"] = -1
        return table

    [report] = reports_of(build(transform=spoil, score=ones))
    assert report.samples is not None
    assert report.samples.features is not None
    assert report.samples.features["a"].tolist() == [1, 3]


def test_predictions_are_reported_as_they_were_when_a_model_uses_their_memory_again() -> None:
    memory = np.array([1.0, 2.0])
    [report] = reports_of(build(score=lambda table, _: Scores(memory)))
    memory[:] = 0
    assert report.samples is not None
    assert report.samples.predictions is not None
    assert report.samples.predictions.tolist() == [1.0, 2.0]


def test_what_a_hook_reads_is_reported_if_it_is_a_table() -> None:
    score = lambda table, _: Scores(np.ones(1))  # noqa: E731
    [table] = reports_of(build(read=lambda data: pd.DataFrame({"x": [1]}), score=score))
    [other] = reports_of(build(read=lambda data: object(), score=score))
    assert table.samples is not None
    assert other.samples is not None
    assert (table.samples.features is None, other.samples.features is None) == (False, True)


def test_a_failed_call_is_not_reported() -> None:
    reports: list[Report] = []
    with pytest.raises(UserCodeError):
        Predictor(build(score=raise_user_error), reporter=reports.append).score(CSV)
    assert reports == []


def test_where_nothing_is_reported_nothing_is_copied() -> None:
    given = pd.DataFrame({"x": [1.0]})
    model = build(read=lambda data: given, score=lambda table, _: Scores(np.array([float(table is given)])))
    assert Predictor(model).score(CSV).values.tolist() == [[1.0]]


def test_an_unstructured_model_gets_something_to_report_with_for_each_request() -> None:
    model = build(
        TargetType.UNSTRUCTURED,
        answer=lambda payload, question: Reply(str(question.mlops).encode(), "text/plain", True),
    )
    with_reports = Predictor(model, mlops=lambda request_id: f"for {request_id}")
    assert with_reports.answer(CSV, {}, request_id="r1").body == b"for r1"
    assert Predictor(model).answer(CSV, {}, request_id="r1").body == b"None"


# From a folder.


def test_a_folder_is_opened_with_the_options_of_the_command(tmp_path: Path) -> None:
    with custom_model_runner.load(plant(tmp_path, {"custom.py": SCORE}), target_type="anomaly") as loaded:
        assert loaded.info.target.type is TargetType.ANOMALY
        assert loaded.score(CSV).values.tolist() == [[0.5], [1.5]]


def test_a_folder_can_be_named_by_a_relative_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path / "code", {"custom.py": SCORE})
    monkeypatch.chdir(tmp_path)
    with custom_model_runner.load("code") as loaded:
        assert len(loaded.score(CSV)) == 2


def test_a_person_is_told_what_had_to_be_inferred(tmp_path: Path) -> None:
    told: list[str] = []
    settings = ModelSettings(code_dir=plant(tmp_path, {"custom.py": SCORE}))
    open_predictor(settings, tell=told.append).close()
    assert told == ["no target type given: regression assumed"]


def test_nothing_is_told_where_nothing_was_inferred(tmp_path: Path) -> None:
    told: list[str] = []
    settings = ModelSettings(code_dir=plant(tmp_path, {"custom.py": SCORE}), target_type="regression")
    open_predictor(settings, tell=told.append).close()
    assert told == []


def test_a_closed_predictor_lets_go_of_the_model() -> None:
    closed: list[bool] = []
    with Predictor(build(score=ones, close=lambda: closed.append(True))):
        assert closed == []
    assert closed == [True]


def test_nobody_is_told_that_a_folder_was_loaded_in_this_process(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    predictor.load(plant(tmp_path, {"custom.py": SCORE}), target_type="regression").close()
    assert capfd.readouterr() == ("", "")
