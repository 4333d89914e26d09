"""What ONNX models take and give, and how a table gets in and predictions come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression

from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UsageError, UserCodeError
from custom_model_runner.frameworks import onnx as framework
from custom_model_runner.target_type import TargetType as T

from .binary import assert_sides

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1, 0, 4]})
REGRESSION = Target(T.REGRESSION)
BINARY = Target(T.BINARY, ("x", "y"))
FLOAT, INT, TEXT = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
OPSETS = {"": 15, "ai.onnx.ml": 3}


def session(model: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def graph(nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], constants: Any = ()) -> Any:
    def values(named: dict[str, Any]) -> list[Any]:
        return [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in named.items()]

    made = helper.make_graph(nodes, "graph", values(inputs), values(outputs), list(constants))
    return session(helper.make_model(made, opset_imports=[helper.make_opsetid("", 15)], ir_version=8))


def sums(kind: int = FLOAT, shape: Any = (None, 2)) -> Any:
    """Return a model that adds up each row."""
    axes = helper.make_tensor("axes", INT, [1], [1])
    node = helper.make_node("ReduceSum", ["given", "axes"], ["sum"], keepdims=1)
    return graph([node], {"given": (kind, shape)}, {"sum": (kind, [shape[0], 1])}, [axes])


def classifier(labels: list[Any], **options: Any) -> Any:
    model = LogisticRegression().fit(FRAME.to_numpy(np.float32), labels)
    given = FRAME.to_numpy(np.float32)[:1]
    return session(to_onnx(model, given, options={id(model): options}, target_opset=OPSETS))


def test_a_file_is_opened(tmp_path: Path) -> None:
    model = LogisticRegression().fit(FRAME, ["x", "y", "y"])
    (tmp_path / "model.onnx").write_bytes(
        to_onnx(model, FRAME.to_numpy(np.float32), target_opset=OPSETS).SerializeToString()
    )
    assert [each.name for each in framework.load(tmp_path / "model.onnx").get_inputs()] == ["X"]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"version https")
    with pytest.raises(LoadError, match=r"model.onnx is not an ONNX model: found 13 bytes"):
        framework.load(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (classifier(["x", "y", "y"], zipmap=False), Hint(T.BINARY)),
        (classifier(["x", "y", "z"], zipmap=False), Hint(T.MULTICLASS)),
        (classifier(["x", "y", "z"]), Hint(T.MULTICLASS)),
        (sums(), None),
    ],
)
def test_an_output_with_probabilities_reveals_the_target_type(model: Any, expected: Hint | None) -> None:
    assert framework.hint(model) == expected


@pytest.mark.parametrize("labels", [["x", "y", "z"], [7, 8, 9]])
def test_a_zipmap_gives_probabilities_with_its_labels_and_a_matrix_without(labels: list[Any]) -> None:
    target = Target(T.MULTICLASS, tuple(map(str, labels)))
    with_labels = framework.score(classifier(labels), FRAME, target)
    without = framework.score(classifier(labels, zipmap=False), FRAME, target)
    assert with_labels.labels == labels
    assert without.labels is None
    np.testing.assert_array_equal(with_labels.values, without.values)
    wanted = LogisticRegression().fit(FRAME.to_numpy(np.float32), labels).predict_proba(FRAME.to_numpy(np.float32))
    np.testing.assert_allclose(with_labels.values, wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", [FLOAT, TensorProto.DOUBLE, INT, TensorProto.INT32])
def test_one_input_takes_the_matrix_in_its_own_type(kind: int) -> None:
    framework.check(sums(kind), REGRESSION)
    values = framework.score(sums(kind), FRAME, REGRESSION).values
    assert values.tolist() == [[1], [1], [6]]
    assert values.dtype == helper.tensor_dtype_to_np_dtype(kind)


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, 2.0**63])
def test_what_is_no_whole_number_is_refused_where_the_model_takes_them(value: float) -> None:
    with pytest.raises(InputError, match=r"input 'given' of the model: .*int64 values, without gaps; .*: 0 "):
        framework.score(sums(INT), FRAME.assign(a=value), REGRESSION)


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_model_for_a_fixed_number_of_rows_is_run_in_turns(size: int, rows: int) -> None:
    values = framework.score(sums(FLOAT, (size, 2)), FRAME[:rows], REGRESSION).values
    assert values.tolist() == [[1], [1], [6]][:rows]


def by_name(*names: str) -> Any:
    text = helper.make_node("StringNormalizer", ["kind"], ["same"], is_case_sensitive=1)
    number = helper.make_node("Sub", list(names), ["difference"])
    inputs = {name: (FLOAT, [None, 1]) for name in names}
    outputs = {"difference": (FLOAT, [None, 1]), "same": (TEXT, [None])}
    return graph([number, text], {**inputs, "kind": (TEXT, [None])}, outputs)


def test_several_inputs_take_columns_by_name_whatever_their_order() -> None:
    model = by_name("b", "a")
    framework.check(model, REGRESSION)
    values = framework.score(model, FRAME.assign(more=1, kind="x"), REGRESSION).values
    assert values.tolist() == [[1], [-1], [2]]


def test_names_that_an_exporter_changed_are_found() -> None:
    table = pd.DataFrame({"size [cm]": [3.0], "a<b": [1.0], "kind": ["x"]})
    assert framework.score(by_name("size__cm_", "a_b"), table, REGRESSION).values.tolist() == [[2]]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (FRAME.assign(kind="x")[["b", "kind"]], "lacks 1 of the columns that the model was fitted on: a$"),
        (FRAME.assign(kind="x", a="MARKER"), "input 'a' of the model: The model takes numbers"),
        (FRAME.assign(kind=["MARKER", np.nan, "x"]), "input 'kind' of the model: The model takes text; .*missing"),
    ],
)
def test_a_table_the_model_cannot_use_is_an_input_error_that_names_no_data(table: pd.DataFrame, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        framework.score(by_name("b", "a"), table, REGRESSION)
    assert "MARKER" not in str(caught.value)


def test_another_number_of_columns_is_told_before_the_call() -> None:
    with pytest.raises(InputError, match="takes 2 columns, found 3"):
        framework.score(sums(), FRAME.assign(c=1), REGRESSION)


def test_another_number_of_columns_is_an_input_error_where_the_model_does_not_tell() -> None:
    weights = helper.make_tensor("weights", FLOAT, [2, 1], [1.0, 1.0])
    node = helper.make_node("MatMul", ["given", "weights"], ["sum"])
    model = graph([node], {"given": (FLOAT, [None, None])}, {"sum": (FLOAT, [None, 1])}, [weights])
    assert framework.score(model, FRAME, REGRESSION).values.tolist() == [[1], [1], [6]]
    with pytest.raises((InputError, UserCodeError), match="float32 of 3 columns for 'given'"):
        framework.score(model, FRAME.assign(c=1), REGRESSION)


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        (sums(FLOAT, (None, 2, 2)), REGRESSION, "expected a matrix"),
        (sums(INT), BINARY, r"gives no probabilities.* sum \(tensor\(int64\)\), expected one whose name"),
        (classifier(["x", "y", "y"]), REGRESSION, "is tensor.string., expected numbers"),
        (sums(), Target(T.TEXT_GENERATION, (), "x"), "do not predict"),
        (onnx.ModelProto(), REGRESSION, "found ModelProto"),
    ],
)
def test_what_cannot_score_is_refused_at_load(model: Any, target: Target, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        framework.check(model, target)


def test_several_inputs_that_take_several_columns_each_are_refused_at_load() -> None:
    node = helper.make_node("Add", ["a", "b"], ["sum"])
    wide = {"a": (FLOAT, [None, 2]), "b": (FLOAT, [None, 1])}
    with pytest.raises(LoadError, match=r"input 'a' takes .* \[None, 2\], expected one column"):
        framework.check(graph([node], wide, {"sum": (FLOAT, [None, 2])}), REGRESSION)


def test_another_number_of_probabilities_than_labels_is_refused_at_load() -> None:
    with pytest.raises(UsageError, match=r"gives 3 values per row, .* needs 2"):
        framework.check(classifier(["x", "y", "z"], zipmap=False), BINARY)


@pytest.mark.parametrize(("beyond", "found"), [(5e-7, 1.0), (1e-3, 1.001)])
def test_a_rounding_error_beyond_1_is_cut_off_and_more_than_that_is_not(beyond: float, found: float) -> None:
    node = helper.make_node("Identity", ["given"], ["probabilities"])
    model = graph([node], {"given": (FLOAT, [None, 1])}, {"probabilities": (FLOAT, [None, 1])})
    values = framework.score(model, pd.DataFrame({"a": [1.0 + beyond]}), BINARY).values
    assert values[0, 0] == pytest.approx(found, abs=1e-8 if found == 1.0 else 1e-6)


def test_gaps_leave_no_probabilities_and_are_blamed_on_the_input() -> None:
    with pytest.raises(InputError, match=r"no probabilities .*: 1 "):
        framework.score(classifier(["x", "y", "y"]), FRAME.assign(b=np.nan), BINARY)


@pytest.mark.parametrize(
    ("variable", "threads"), [("1", 1), ("3", 3), (" 2 ", 2), ("2,1", 2), ("", 0), ("many", 0), (None, 0)]
)
def test_a_session_has_the_threads_that_other_libraries_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None, threads: int
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    model = LogisticRegression().fit(FRAME, ["x", "y", "y"])
    made = to_onnx(model, FRAME.to_numpy(np.float32), target_opset=OPSETS)
    (tmp_path / "model.onnx").write_bytes(made.SerializeToString())
    assert framework.load(tmp_path / "model.onnx").get_session_options().intra_op_num_threads == threads


def one_column() -> Any:
    """Return a model that gives one probability for each row, and what it gives for FRAME."""
    axes = helper.make_tensor("axes", INT, [1], [1])
    nodes = [
        helper.make_node("ReduceSum", ["given", "axes"], ["sum"], keepdims=1),
        helper.make_node("Sigmoid", ["sum"], ["probability"]),
    ]
    shape = {"probability": (FLOAT, [None, 1])}
    made = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("given", FLOAT, [None, 2])],
        [helper.make_tensor_value_info(name, *facts) for name, facts in shape.items()],
        [axes],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    return model, 1 / (1 + np.exp(-FRAME.sum(axis=1).to_numpy(np.float32)))


def two_columns(**options: Any) -> Any:
    """Return a classifier of zebras and ants, and its probabilities of the second class by the alphabet."""
    given = FRAME.to_numpy(np.float32)
    model = LogisticRegression().fit(given, ["ant", "zebra", "zebra"])
    return to_onnx(model, given[:1], options={id(model): options}, target_opset=OPSETS), model.predict_proba(given)[
        :, 1
    ]


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
def test_the_positive_probability_lands_on_the_positive_label(tmp_path: Path, has_hook: bool) -> None:
    for name, (model, expected) in {"one": one_column(), "two": two_columns(zipmap=False)}.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        assert_sides(folder, FRAME, expected, has_hook=has_hook)


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
def test_probabilities_stay_on_the_labels_that_a_model_gives(tmp_path: Path, has_hook: bool) -> None:
    model, second = two_columns()
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert_sides(tmp_path, FRAME, 1 - second, has_hook=has_hook, labels=("zebra", "ant"))


def test_the_columns_of_a_table_without_rows_are_checked() -> None:
    framework.check_columns(by_name("b", "a"), FRAME.assign(kind="x")[:0])
    with pytest.raises(InputError, match="lacks 1 of the columns that the model was fitted on: kind"):
        framework.check_columns(by_name("b", "a"), FRAME[:0])
