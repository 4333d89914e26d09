"""What LightGBM models reveal, what they are refused for, and how they score a table."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import lightgbm as library
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custom_model_runner.artifacts import objectives
from custom_model_runner.data import matrices
from custom_model_runner.data.csv_rows import Header, Rows
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UsageError
from custom_model_runner.frameworks import bare, lightgbm
from custom_model_runner.target_type import TargetType as T

from .binary import assert_sides

FRAME = pd.DataFrame(np.random.default_rng(3).normal(size=(60, 3)), columns=["a b", "b", "c"])
TWO = (FRAME["a b"] + FRAME["b"] > 0).astype(int).to_numpy()
THREE = np.arange(60) % 3
KINDS = pd.Series(np.array(["ash", "elm", "oak"])[THREE])
BINARY = Target(T.BINARY, ("no", "yes"))
MULTICLASS = Target(T.MULTICLASS, ("x", "y", "z"))
REGRESSION = Target(T.REGRESSION)
SMALL: dict[str, Any] = {"verbosity": -1, "min_child_samples": 2}


def booster(objective: Any, y: Any = TWO, table: Any = FRAME, **parameters: Any) -> library.Booster:
    return library.train({"objective": objective, **SMALL, **parameters}, library.Dataset(table, label=y), 3)


def own_objective(predictions: Any, data: Any) -> tuple[Any, Any]:
    return predictions - data.get_label(), np.ones_like(predictions)


def classifier(y: Any = TWO, table: Any = FRAME, **parameters: Any) -> Any:
    return library.LGBMClassifier(n_estimators=3, **SMALL, **parameters).fit(table, y)


LOGISTIC = booster("binary")
SOFTMAX = booster("multiclass", THREE, num_class=3)
CLASSIFIER = classifier(np.where(TWO, "yes", "no"))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LOGISTIC, Hint(T.BINARY)),
        (SOFTMAX, Hint(T.MULTICLASS)),
        (booster("multiclass", TWO, num_class=2), Hint(T.BINARY)),
        (booster("regression"), Hint(T.REGRESSION)),
        (booster("cross_entropy"), Hint(T.REGRESSION)),
        (booster(own_objective), Hint(T.REGRESSION)),
        (CLASSIFIER, Hint(T.BINARY, ("no", "yes"))),
        (classifier(KINDS), Hint(T.MULTICLASS, ("ash", "elm", "oak"))),
        (library.LGBMRegressor(n_estimators=3, **SMALL).fit(FRAME, TWO), Hint(T.REGRESSION)),
        (make_pipeline(StandardScaler(), library.LGBMRegressor(**SMALL)).fit(FRAME, TWO), Hint(T.REGRESSION)),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, Hint) else type(value).__name__,
)
def test_a_model_reveals_its_target(model: Any, expected: Hint) -> None:
    assert lightgbm.hint(model) == expected


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (LOGISTIC, BINARY),
        (LOGISTIC, REGRESSION),
        (SOFTMAX, MULTICLASS),
        (booster("cross_entropy"), BINARY),
        (booster("poisson"), Target(T.ANOMALY)),
        (booster("multiclassova", THREE, num_class=3), Target(T.MULTILABEL, ("x", "y", "z"))),
        (CLASSIFIER, Target(T.BINARY, ("NO", "YES"))),
    ],
)
def test_a_target_that_the_model_can_give_is_accepted(model: Any, target: Target) -> None:
    lightgbm.check(model, target)


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        (booster("regression"), BINARY, "needs probabilities, which a model with the objective 'regression' does not"),
        (booster(own_objective), BINARY, "needs probabilities, which a model with the objective 'custom' does not"),
        (booster("cross_entropy_lambda"), BINARY, "'cross_entropy_lambda' does not give"),
        (SOFTMAX, REGRESSION, "needs one value per row; a model with the objective 'multiclass' gives 3"),
        (booster("multiclassova", THREE, num_class=3), MULTICLASS, "probabilities that add up to one"),
        (classifier(KINDS, objective="multiclassova"), MULTICLASS, "probabilities that add up to one"),
        (LOGISTIC, Target(T.GEO_POINT), "'geopoint' is not for a model"),
        (library.LGBMClassifier(), BINARY, "LGBMClassifier was never fitted"),
        (library.Dataset(FRAME), REGRESSION, "Expected a booster or a model of LightGBM, found Dataset"),
    ],
)
def test_a_target_that_the_model_cannot_give_is_refused_at_load(model: Any, target: Target, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        lightgbm.check(model, target)


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        (SOFTMAX, BINARY, "'binary' with 2 labels is not for .*: it has 3 labels"),
        (LOGISTIC, MULTICLASS, "with 3 labels is not for .*: it has two labels"),
        (CLASSIFIER, Target(T.BINARY, ("bad", "good")), "class labels are not those of LGBMClassifier"),
    ],
)
def test_labels_that_do_not_fit_the_model_are_a_usage_error(model: Any, target: Target, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        lightgbm.check(model, target)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_native_model_scores_as_the_one_that_was_saved(tmp_path: Path, line_end: bytes) -> None:
    path = tmp_path / "model.txt"
    LOGISTIC.save_model(path)
    path.write_bytes(path.read_bytes().replace(b"\n", line_end))
    scores = lightgbm.score(lightgbm.load(path), FRAME, BINARY)
    assert scores.labels is None
    np.testing.assert_array_equal(scores.values, LOGISTIC.predict(FRAME))


def test_a_model_without_trees_is_whole(tmp_path: Path) -> None:
    booster("regression", np.ones(60)).save_model(tmp_path / "model.txt", num_iteration=0)
    assert lightgbm.load(tmp_path / "model.txt").num_feature() == 3


def test_a_model_that_was_cut_anywhere_is_a_load_error_and_does_not_end_the_process(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    LOGISTIC.save_model(path)
    text = path.read_bytes()
    places = [4, 60, text.index(b"Tree=0"), text.index(b"Tree=1") + 5, text.index(b"Tree=2") - 40]
    for data in [text[:place] for place in [*places, text.index(b"end of trees")]] + [b"tree\nold notes\n"]:
        path.write_bytes(data)
        with pytest.raises(LoadError, match=r"^model.txt is not a whole LightGBM model: "):
            lightgbm.load(path)


def test_a_header_that_lightgbm_does_not_read_is_a_load_error(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_bytes(b"tree\nversion=v4\nend of trees\n")
    with pytest.raises(LoadError, match=r"^model.txt is not a model that LightGBM \d.* reads; "):
        lightgbm.load(tmp_path / "model.txt")


def test_a_pickled_booster_scores_as_before() -> None:
    model = pickle.loads(pickle.dumps(SOFTMAX))
    lightgbm.check(model, MULTICLASS)
    np.testing.assert_array_equal(lightgbm.score(model, FRAME, MULTICLASS).values, SOFTMAX.predict(FRAME))


def test_a_classifier_gives_its_classes() -> None:
    scores = lightgbm.score(CLASSIFIER, FRAME, BINARY)
    assert scores.labels is not None
    assert list(scores.labels) == ["no", "yes"]
    np.testing.assert_array_equal(scores.values, CLASSIFIER.predict_proba(FRAME))


@pytest.mark.parametrize(
    "model",
    [LOGISTIC, CLASSIFIER, make_pipeline("passthrough", CLASSIFIER)],
    ids=["booster", "class", "pipe"],
)
@pytest.mark.parametrize(
    "table", [FRAME[["c", "a b", "b"]], FRAME.assign(z="text"), FRAME.assign(z=1)[["z", "c", "b", "a b"]]]
)
def test_columns_are_found_by_name_and_others_are_left_out(model: Any, table: pd.DataFrame) -> None:
    expected = CLASSIFIER.predict_proba(FRAME)
    found = lightgbm.score(model, table, BINARY).values
    np.testing.assert_array_equal(found, expected[:, 1] if model is LOGISTIC else expected)


def test_names_that_lightgbm_refuses_are_passed_by_position_when_the_others_agree() -> None:
    found = lightgbm.score(LOGISTIC, FRAME.set_axis(["a b", "b[0]", '{"c": 1}'], axis=1), BINARY).values
    np.testing.assert_array_equal(found, LOGISTIC.predict(FRAME))
    with pytest.raises(InputError, match="lacks 1 of the columns that the model was fitted on: b"):
        lightgbm.score(LOGISTIC, FRAME.set_axis(["a b", "c", "b[0]"], axis=1), BINARY)


def test_a_model_with_made_up_names_takes_columns_by_position() -> None:
    model = booster("binary", table=FRAME.to_numpy())
    found = lightgbm.score(model, FRAME.set_axis(["x[0]", "<", "é"], axis=1), BINARY).values
    np.testing.assert_array_equal(found, LOGISTIC.predict(FRAME))
    with pytest.raises(InputError, match="trained on 3 columns, found 2"):
        lightgbm.score(model, FRAME[["a b", "b"]], BINARY)


@pytest.mark.parametrize("model", [LOGISTIC, CLASSIFIER], ids=["booster", "class"])
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (FRAME[["b"]].assign(y=1, z=1), "lacks 2 of the columns that the model was fitted on: a_b, c"),
        (FRAME.assign(b="MARKER"), "columns that are not numeric: b; columns with infinite values: none"),
    ],
)
def test_a_table_the_model_cannot_use_is_an_input_error_that_names_columns_and_no_data(
    model: Any, table: pd.DataFrame, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        lightgbm.score(model, table, BINARY)
    assert "MARKER" not in str(caught.value)


@pytest.mark.parametrize("is_native", [True, False])
def test_text_and_numbers_become_the_categories_of_the_training(is_native: bool) -> None:
    digits = pd.Categorical(np.array(["1", "2", "3"])[THREE])
    table = FRAME.assign(kind=KINDS.astype("category"), size=pd.Categorical(THREE * 10), digit=digits)
    model = classifier((KINDS == "elm").to_numpy() ^ (FRAME["b"] > 1), table)
    lightgbm.check(model, Target(T.BINARY, ("no", "yes")))
    expected = model.predict_proba(table)
    if is_native:
        model, expected = model.booster_, expected[:, 1]
    rows = FRAME.assign(kind=KINDS, size=THREE * 10.0, digit=THREE + 1)
    np.testing.assert_array_equal(lightgbm.score(model, rows, BINARY).values, expected)
    np.testing.assert_array_equal(lightgbm.score(model, rows.iloc[[1, 4]], BINARY).values, expected[[1, 4]])
    unknown = lightgbm.score(model, rows.assign(kind="yew"), BINARY).values
    np.testing.assert_array_equal(unknown, lightgbm.score(model, rows.assign(kind=np.nan), BINARY).values)


def test_a_model_that_does_not_tell_its_categories_is_refused_at_load() -> None:
    table = FRAME.assign(kind=pd.Categorical(["ash"] * 60), size=pd.Categorical(THREE))
    with pytest.raises(LoadError, match="does not tell which of its columns are categories"):
        lightgbm.check(booster("binary", table=table), BINARY)


@pytest.mark.parametrize("form", [".txt", "pickle"])
def test_a_booster_whose_training_stopped_early_scores_with_its_best_round(tmp_path: Path, form: str) -> None:
    # The labels of the rows to stop by disagree more and more with those of training.
    data = library.Dataset(FRAME, label=TWO)
    other = np.where(np.arange(60) < 15, 1 - TWO, TWO)
    stopped = library.train(
        {"objective": "binary", "learning_rate": 0.5, **SMALL},
        data,
        60,
        valid_sets=[library.Dataset(FRAME, label=other, reference=data)],
        callbacks=[library.early_stopping(20, verbose=False)],
        keep_training_booster=True,
    )
    best = stopped.best_iteration
    assert 0 < best < stopped.num_trees()
    stopped.save_model(tmp_path / "model.txt")
    model = pickle.loads(pickle.dumps(stopped)) if form == "pickle" else lightgbm.load(tmp_path / "model.txt")
    expected = stopped.predict(FRAME, num_iteration=best)
    np.testing.assert_array_equal(lightgbm.score(model, FRAME, BINARY).values, expected)
    assert (np.asarray(stopped.predict(FRAME, num_iteration=stopped.num_trees())) != expected).any()


TWO_COLUMNS = booster("multiclass", TWO, num_class=2)


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
@pytest.mark.parametrize("form", [".txt", ".pkl"])
@pytest.mark.parametrize("model", [LOGISTIC, TWO_COLUMNS], ids=["one column", "two columns"])
def test_the_positive_probability_lands_on_the_positive_label(
    tmp_path: Path, model: library.Booster, form: str, has_hook: bool
) -> None:
    path = tmp_path / f"model{form}"
    if form == ".pkl":
        path.write_bytes(pickle.dumps(model))
    else:
        model.save_model(path)
    expected = np.asarray(model.predict(FRAME)).reshape(len(FRAME), -1)[:, -1]
    assert_sides(tmp_path, FRAME, expected, has_hook=has_hook)


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
def test_probabilities_stay_on_the_classes_of_a_classifier(tmp_path: Path, has_hook: bool) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(CLASSIFIER))
    expected = CLASSIFIER.predict_proba(FRAME)[:, 0]
    assert_sides(tmp_path, FRAME, expected, has_hook=has_hook, labels=("yes", "no"))


# Sparse tables.

MATRIX = csr_matrix(FRAME.to_numpy() * (FRAME.to_numpy() > 0.3))
ZEROS = FRAME.where(FRAME > 0.3, 0.0)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]], ids=["in order", "out of order"])
@pytest.mark.parametrize("model", [LOGISTIC, CLASSIFIER, SOFTMAX], ids=["booster", "class", "multiclass"])
def test_a_sparse_table_is_scored_as_the_same_table_with_its_zeros(model: Any, order: list[int]) -> None:
    table = matrices.table(MATRIX, list(FRAME.columns)).iloc[:, order]
    target = MULTICLASS if model is SOFTMAX else BINARY
    expected = lightgbm.score(model, ZEROS, target)
    found = lightgbm.score(model, table, target)
    np.testing.assert_array_equal(found.values, expected.values)
    assert str(found.labels) == str(expected.labels)


def test_a_sparse_table_without_names_is_taken_by_position() -> None:
    found = lightgbm.score(CLASSIFIER, matrices.table(MATRIX), BINARY).values
    np.testing.assert_array_equal(found, CLASSIFIER.predict_proba(ZEROS))
    with pytest.raises(InputError, match="fitted on 3 columns, found 2 without names"):
        lightgbm.score(CLASSIFIER, matrices.table(MATRIX[:, :2]), BINARY)


@pytest.mark.parametrize("model", [LOGISTIC, CLASSIFIER], ids=["booster", "class"])
def test_the_columns_of_a_table_without_rows_are_checked(model: Any) -> None:
    lightgbm.check_columns(model, FRAME[:0])
    with pytest.raises(InputError, match="lacks 2 of the columns that the model was fitted on"):
        lightgbm.check_columns(model, FRAME[["b"]][:0])


def test_the_objective_of_a_native_model_is_read_without_lightgbm(tmp_path: Path) -> None:
    LOGISTIC.save_model(tmp_path / "model.txt")
    assert objectives.of(tmp_path / "model.txt") == "binary"


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (LOGISTIC, BINARY),
        (SOFTMAX, MULTICLASS),
        (CLASSIFIER, BINARY),
        (library.LGBMRegressor(n_estimators=3, **SMALL).fit(FRAME, TWO), REGRESSION),
        (make_pipeline(StandardScaler(), library.LGBMRegressor(n_estimators=3, **SMALL)).fit(FRAME, TWO), REGRESSION),
    ],
    ids=["booster", "multiclass", "class", "regressor", "pipeline"],
)
def test_rows_are_scored_alike_without_a_table(model: Any, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine makes no model slow.
    monkeypatch.setattr(bare, "WORTH_SECONDS", 60.0)
    rows = Rows(Header(FRAME.columns), FRAME.to_numpy().tolist(), [False] * 3)
    proved = lightgbm.bare(model, target)
    assert proved is not None
    found, expected = proved.rows(rows), lightgbm.score(model, rows.table(), target)
    assert found is not None
    np.testing.assert_array_equal(found.values, expected.values)
    assert str(found.labels) == str(expected.labels)


def test_categories_take_a_table() -> None:
    table = FRAME.assign(kind=KINDS.astype("category"))
    assert lightgbm.bare(booster("binary", table=table), BINARY) is None
