"""What CatBoost models reveal, what they are refused for, and how they score a table."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import catboost as library
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from custom_model_runner.data import matrices
from custom_model_runner.data.csv_rows import Header, Rows
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UsageError
from custom_model_runner.frameworks import bare, catboost
from custom_model_runner.target_type import TargetType as T

from .binary import assert_sides

FRAME = pd.DataFrame(np.random.default_rng(3).normal(size=(60, 3)), columns=["a[0]", "b, c", "<c"])
TWO = (FRAME["a[0]"] + FRAME["<c"] > 0).astype(int).to_numpy()
WORDS = np.where(TWO, "yes", "no")
KINDS = np.array(["ash", "elm", "oak"])[np.arange(60) % 3]
BINARY = Target(T.BINARY, ("no", "yes"))
MULTICLASS = Target(T.MULTICLASS, ("ash", "elm", "oak"))
REGRESSION = Target(T.REGRESSION)
SMALL: dict[str, Any] = {"iterations": 3, "depth": 2, "verbose": 0, "allow_writing_files": False}


def classifier(y: Any, table: Any = FRAME, **parameters: Any) -> Any:
    return library.CatBoostClassifier(**SMALL, **parameters).fit(table, y)


def regressor(loss: str, y: Any = TWO, table: Any = FRAME) -> Any:
    return library.CatBoostRegressor(loss_function=loss, **SMALL).fit(table, y)


def reopened(model: Any, folder: Path) -> Any:
    model.save_model(folder / "model.cbm")
    return catboost.load(folder / "model.cbm")


YES_NO = classifier(WORDS)
TREES = classifier(KINDS)
SEVERAL = classifier(np.column_stack([TWO, 1 - TWO]), loss_function="MultiLogloss")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (YES_NO, Hint(T.BINARY, ("no", "yes"))),
        (TREES, Hint(T.MULTICLASS, ("ash", "elm", "oak"))),
        (SEVERAL, Hint(T.MULTILABEL)),
        (regressor("RMSE"), Hint(T.REGRESSION)),
        (regressor("Poisson"), Hint(T.REGRESSION)),
    ],
    ids=["binary", "multiclass", "multilabel", "regression", "poisson"],
)
def test_a_model_reveals_its_target_and_its_labels_native_or_not(model: Any, expected: Hint, tmp_path: Path) -> None:
    assert catboost.hint(model) == expected
    assert catboost.hint(reopened(model, tmp_path)) == expected


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (YES_NO, Target(T.BINARY, ("NO", "YES"))),
        (classifier(TWO), BINARY),
        (TREES, Target(T.MULTICLASS, ("oak", "ash", "elm"))),
        (SEVERAL, Target(T.MULTILABEL, ("x", "y"))),
        (regressor("Quantile:alpha=0.1"), Target(T.ANOMALY)),
        (make_pipeline(StandardScaler(), library.CatBoostClassifier(**SMALL)).fit(FRAME, WORDS), BINARY),
        (library.sum_models([regressor("RMSE"), regressor("RMSE")]), REGRESSION),
    ],
)
def test_a_target_that_the_model_can_give_is_accepted(model: Any, target: Target) -> None:
    catboost.check(model, target)


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        (regressor("RMSE"), BINARY, "needs probabilities, which a model with the objective 'RMSE' does not give"),
        (TREES, REGRESSION, "needs one value per row; a model with the objective 'MultiClass' gives 3"),
        (regressor("MultiRMSE", np.column_stack([TWO, TWO])), REGRESSION, "gives 2"),
        (classifier(KINDS, loss_function="MultiClassOneVsAll"), MULTICLASS, "probabilities that add up to one"),
        (YES_NO, Target(T.GEO_POINT), "'geopoint' is not for a model"),
        (library.CatBoostClassifier(), BINARY, "CatBoostClassifier was never fitted"),
        (library.Pool(FRAME), REGRESSION, "Expected a model of CatBoost, found Pool"),
    ],
)
def test_a_target_that_the_model_cannot_give_is_refused_at_load(model: Any, target: Target, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        catboost.check(model, target)


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        (TREES, BINARY, "'binary' with 2 labels is not for .*: it has 3 labels"),
        (YES_NO, MULTICLASS, "with 3 labels is not for .*: it has 2 labels"),
        (YES_NO, Target(T.BINARY, ("bad", "good")), "class labels are not those of CatBoostClassifier"),
    ],
)
def test_labels_that_do_not_fit_the_model_are_a_usage_error(model: Any, target: Target, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        catboost.check(model, target)


def test_a_native_model_gives_the_probabilities_and_the_labels_of_the_one_that_was_saved(tmp_path: Path) -> None:
    scores = catboost.score(reopened(TREES, tmp_path), FRAME, MULTICLASS)
    assert scores.labels == ["ash", "elm", "oak"]
    np.testing.assert_array_equal(scores.values, TREES.predict_proba(FRAME))


def test_probabilities_of_several_labels_have_no_names() -> None:
    scores = catboost.score(SEVERAL, FRAME, Target(T.MULTILABEL, ("x", "y")))
    assert scores.labels is None
    np.testing.assert_array_equal(scores.values, SEVERAL.predict_proba(FRAME))


@pytest.mark.parametrize("loss", ["RMSE", "Poisson", "Tweedie:variance_power=1.5", "Quantile:alpha=0.1"])
def test_a_native_regressor_predicts_in_the_unit_of_the_target(loss: str, tmp_path: Path) -> None:
    model = regressor(loss)
    expected = model.predict(FRAME)
    np.testing.assert_array_equal(catboost.score(model, FRAME, REGRESSION).values, expected)
    np.testing.assert_array_equal(catboost.score(reopened(model, tmp_path), FRAME, REGRESSION).values, expected)


@pytest.mark.parametrize("data", [b"", b"CBM1", b"garbage" * 9, b"CBM1" + b"\xff" * 90])
def test_a_file_that_is_no_whole_model_is_a_load_error_and_does_not_end_the_process(
    data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "model.cbm").write_bytes(data)
    with pytest.raises(LoadError, match=r"^model.cbm is not a "):
        catboost.load(tmp_path / "model.cbm")


def test_a_model_that_was_cut_is_a_load_error(tmp_path: Path) -> None:
    path = tmp_path / "model.cbm"
    YES_NO.save_model(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(LoadError, match=r"^model.cbm is not a whole CatBoost model"):
        catboost.load(path)


@pytest.mark.parametrize(
    "table", [FRAME[["<c", "a[0]", "b, c"]], FRAME.assign(z="text"), FRAME.assign(z=1)[["z", "<c", "b, c", "a[0]"]]]
)
def test_columns_are_found_by_name_and_others_are_left_out(table: pd.DataFrame) -> None:
    np.testing.assert_array_equal(catboost.score(YES_NO, table, BINARY).values, YES_NO.predict_proba(FRAME))


def test_a_model_with_made_up_names_takes_columns_by_position() -> None:
    model = classifier(WORDS, FRAME.to_numpy())
    np.testing.assert_array_equal(catboost.score(model, FRAME, BINARY).values, YES_NO.predict_proba(FRAME))
    with pytest.raises(InputError, match="trained on 3 columns, found 2"):
        catboost.score(model, FRAME.iloc[:, :2], BINARY)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (FRAME[["<c"]].assign(z=1), r"lacks 2 of the columns that the model was fitted on: a\[0\], b, c"),
        (FRAME.assign(**{"<c": "MARKER"}), "columns that are not numeric: <c; columns with infinite values: none"),
    ],
)
def test_a_table_the_model_cannot_use_is_an_input_error_that_names_columns_and_no_data(
    table: pd.DataFrame, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        catboost.score(YES_NO, table, BINARY)
    assert "MARKER" not in str(caught.value)


def test_a_pipeline_shows_no_data_either() -> None:
    model = make_pipeline(FunctionTransformer(), library.CatBoostClassifier(**SMALL)).fit(FRAME, WORDS)
    with pytest.raises(InputError, match="columns that are not numeric: 1;") as caught:
        catboost.score(model, FRAME.assign(**{"b, c": "MARKER"}), BINARY)
    assert "MARKER" not in str(caught.value)


def test_a_pipeline_scores_as_it_does_itself() -> None:
    model = make_pipeline(StandardScaler(), library.CatBoostClassifier(**SMALL)).fit(FRAME, WORDS)
    scores = catboost.score(model, FRAME, BINARY)
    assert scores.labels is not None
    assert list(scores.labels) == ["no", "yes"]
    np.testing.assert_array_equal(scores.values, model.predict_proba(FRAME))


def test_categories_may_be_text_and_whole_numbers_and_nothing_else() -> None:
    table = FRAME.assign(kind=KINDS, size=np.arange(60) % 3)
    model = classifier(WORDS, table, cat_features=["kind", "size"])
    np.testing.assert_array_equal(catboost.score(model, table, BINARY).values, model.predict_proba(table))
    gaps = table.assign(kind=table["kind"].mask(table["size"] == 1), size=table["size"] * 1.0)
    with pytest.raises(InputError, match="missing values or fractions, expected text or whole numbers: kind, size"):
        catboost.score(model, gaps, BINARY)
    with pytest.raises(InputError, match="columns that are not numeric: <c;"):
        catboost.score(model, table.assign(**{"<c": "MARKER"}), BINARY)


def test_a_model_whose_training_stopped_early_scores_with_its_best_round(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 2, 60)
    table = pd.DataFrame(np.random.default_rng(3).normal(size=(60, 3)), columns=["a", "b", "c"])
    settings: dict[str, Any] = {"iterations": 60, "learning_rate": 1.0, "verbose": False, "allow_writing_files": False}
    stopped = library.CatBoostClassifier(**settings, early_stopping_rounds=20)
    stopped.fit(table[:40], noise[:40], eval_set=(table[40:], noise[40:]))
    assert stopped.tree_count_ == stopped.best_iteration_ + 1 < 60
    stopped.save_model(str(tmp_path / "model.cbm"))
    found = catboost.score(catboost.load(tmp_path / "model.cbm"), table, Target(T.BINARY, ("0", "1")))
    np.testing.assert_array_equal(found.values, stopped.predict_proba(table))


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
@pytest.mark.parametrize("form", [".cbm", ".pkl"])
@pytest.mark.parametrize("labels", [("no", "yes"), ("yes", "no")], ids=" ".join)
def test_probabilities_stay_on_the_classes_of_the_model(
    tmp_path: Path, labels: tuple[str, str], form: str, has_hook: bool
) -> None:
    path = tmp_path / f"model{form}"
    if form == ".pkl":
        path.write_bytes(pickle.dumps(YES_NO))
    else:
        YES_NO.save_model(str(path))
    expected = YES_NO.predict_proba(FRAME)[:, list(YES_NO.classes_).index(labels[1])]
    assert_sides(tmp_path, FRAME, expected, has_hook=has_hook, labels=labels)


# Sparse tables.

MATRIX = csr_matrix(FRAME.to_numpy() * (FRAME.to_numpy() > 0.3))


@pytest.mark.parametrize("names", [None, list(FRAME.columns)], ids=["no names", "names"])
def test_a_sparse_table_is_scored_as_the_same_table_with_its_zeros(names: list[str] | None) -> None:
    table = matrices.table(MATRIX, names)
    expected = catboost.score(YES_NO, FRAME.where(FRAME > 0.3, 0.0), BINARY).values
    np.testing.assert_array_equal(catboost.score(YES_NO, table, BINARY).values, expected)


def test_the_columns_of_a_table_without_rows_are_checked() -> None:
    catboost.check_columns(YES_NO, FRAME[:0])
    with pytest.raises(InputError, match="lacks 2 of the columns that the model was fitted on"):
        catboost.check_columns(YES_NO, FRAME[["<c"]][:0])


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (YES_NO, BINARY),
        (TREES, MULTICLASS),
        (regressor("Poisson"), REGRESSION),
        (make_pipeline(StandardScaler(), library.CatBoostRegressor(**SMALL)).fit(FRAME, TWO), REGRESSION),
    ],
    ids=["binary", "multiclass", "regression", "pipeline"],
)
def test_rows_are_scored_alike_without_a_table(model: Any, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine makes no model slow.
    monkeypatch.setattr(bare, "WORTH_SECONDS", 60.0)
    rows = Rows(Header(FRAME.columns), FRAME.to_numpy().tolist(), [False] * 3)
    proved = catboost.bare(model, target)
    assert proved is not None
    found, expected = proved.rows(rows), catboost.score(model, rows.table(), target)
    assert found is not None
    np.testing.assert_array_equal(found.values, expected.values)
    assert str(found.labels) == str(expected.labels)
