"""What XGBoost models reveal, what they are refused for, and how they score a table."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import xgboost as library
from scipy.sparse import csr_matrix
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custom_model_runner import codedir, opening
from custom_model_runner.artifacts import making, objectives
from custom_model_runner.artifacts.versions import Version
from custom_model_runner.data import matrices
from custom_model_runner.data.csv_rows import Header, Rows
from custom_model_runner.data.target import Hint, Target
from custom_model_runner.errors import InputError, LoadError, UsageError
from custom_model_runner.frameworks import bare, xgboost
from custom_model_runner.target_type import TargetType as T

from .binary import assert_sides

FRAME = pd.DataFrame(np.random.default_rng(3).normal(size=(60, 3)), columns=["a", "b", "c"])
TWO = (FRAME["a"] + FRAME["b"] > 0).astype(int).to_numpy()
THREE = np.arange(60) % 3
KINDS = pd.Series(np.array(["ash", "elm", "oak"])[THREE])
BINARY = Target(T.BINARY, ("no", "yes"))
MULTICLASS = Target(T.MULTICLASS, ("x", "y", "z"))
REGRESSION = Target(T.REGRESSION)


def booster(objective: str, y: Any = TWO, table: Any = FRAME, **parameters: Any) -> library.Booster:
    return library.train({"objective": objective, **parameters}, library.DMatrix(table, label=y), 3)


HERE, OLD = library.__version__.split("."), ["1", "5", "2"]
LOGISTIC = booster("binary:logistic")
SOFTPROB = booster("multi:softprob", THREE, num_class=3)
SQUARED = booster("reg:squarederror")
MULTILABEL = booster("binary:logistic", np.column_stack([TWO, 1 - TWO]))
CLASSIFIER = library.XGBClassifier(n_estimators=3).fit(FRAME, TWO)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (LOGISTIC, Hint(T.BINARY)),
        (SOFTPROB, Hint(T.MULTICLASS)),
        (booster("multi:softprob", TWO, num_class=2), Hint(T.BINARY)),
        (booster("multi:softmax", THREE, num_class=3), Hint(T.MULTICLASS)),
        (SQUARED, Hint(T.REGRESSION)),
        (booster("reg:logistic"), Hint(T.REGRESSION)),
        (MULTILABEL, Hint(T.MULTILABEL)),
        (CLASSIFIER, Hint(T.BINARY, ("0", "1"))),
        (library.XGBClassifier(n_estimators=3).fit(FRAME, THREE), Hint(T.MULTICLASS, ("0", "1", "2"))),
        (library.XGBClassifier(n_estimators=3).fit(FRAME, np.column_stack([TWO, 1 - TWO])), Hint(T.MULTILABEL)),
        (library.XGBRegressor(n_estimators=3).fit(FRAME, TWO), Hint(T.REGRESSION)),
        (
            make_pipeline(StandardScaler(), library.XGBClassifier(n_estimators=3)).fit(FRAME, TWO),
            Hint(T.BINARY, ("0", "1")),
        ),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, Hint) else type(value).__name__,
)
def test_a_model_reveals_its_target(model: Any, expected: Hint) -> None:
    assert xgboost.hint(model) == expected


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (LOGISTIC, BINARY),
        (LOGISTIC, REGRESSION),
        (LOGISTIC, Target(T.MULTICLASS, ("x", "y"))),
        (SOFTPROB, MULTICLASS),
        (booster("multi:softprob", TWO, num_class=2), BINARY),
        (booster("reg:logistic"), BINARY),
        (SQUARED, Target(T.ANOMALY)),
        (MULTILABEL, Target(T.MULTILABEL, ("x", "y"))),
        (CLASSIFIER, BINARY),
    ],
)
def test_a_target_that_the_model_can_give_is_accepted(model: Any, target: Target) -> None:
    xgboost.check(model, target)


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        (SQUARED, BINARY, "needs probabilities, which a model with the objective 'reg:squarederror' does not give"),
        (booster("binary:logitraw"), BINARY, "needs probabilities, which .* 'binary:logitraw' does not give"),
        (booster("multi:softmax", THREE, num_class=3), MULTICLASS, "'multi:softmax' does not give"),
        (SOFTPROB, REGRESSION, "needs one value per row; a model with .* 'multi:softprob' gives 3"),
        (booster("reg:squarederror", np.column_stack([TWO, TWO])), REGRESSION, "gives 2"),
        (MULTILABEL, BINARY, "needs probabilities that add up to one"),
        (LOGISTIC, Target(T.GEO_POINT), "'geopoint' is not for a model"),
        (library.XGBRegressor(n_estimators=3).fit(FRAME, TWO), BINARY, "does not give"),
        (library.XGBClassifier(), BINARY, "XGBClassifier was never fitted"),
        (library.DMatrix(FRAME), REGRESSION, "Expected a booster or a model of XGBoost, found DMatrix"),
    ],
)
def test_a_target_that_the_model_cannot_give_is_refused_at_load(model: Any, target: Target, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        xgboost.check(model, target)


@pytest.mark.parametrize(
    ("model", "target", "words"),
    [
        (SOFTPROB, BINARY, "'binary' with 2 labels is not for .*: it has 3 labels"),
        (SOFTPROB, Target(T.MULTICLASS, ("x", "y")), "with 2 labels is not for .*: it has 3 labels"),
        (LOGISTIC, MULTICLASS, "with 3 labels is not for .*: it has two labels"),
        (CLASSIFIER, Target(T.BINARY, ("bad", "good")), "class labels are not those of XGBClassifier"),
    ],
)
def test_labels_that_do_not_fit_the_model_are_a_usage_error(model: Any, target: Target, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        xgboost.check(model, target)


@pytest.mark.parametrize("suffix", [".json", ".ubj"])
def test_a_native_model_scores_as_the_one_that_was_saved(tmp_path: Path, suffix: str) -> None:
    LOGISTIC.save_model(tmp_path / f"model{suffix}")
    scores = xgboost.score(xgboost.load(tmp_path / f"model{suffix}"), FRAME, BINARY)
    assert scores.labels is None
    np.testing.assert_array_equal(scores.values, LOGISTIC.predict(library.DMatrix(FRAME)))


@pytest.mark.parametrize("data", [b"", b"{", b'{"learner":{}}', b'{"version":[1,2],"x":1}', b"garbage" * 9])
def test_a_file_that_is_no_whole_model_is_a_load_error(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.json").write_bytes(data)
    with pytest.raises(LoadError, match=r"^model.json is not a whole model that XGBoost \d.* reads; [^\n]*$"):
        xgboost.load(tmp_path / "model.json")


def test_a_pickled_booster_scores_as_before() -> None:
    model = pickle.loads(pickle.dumps(SOFTPROB))
    xgboost.check(model, MULTICLASS)
    scores = xgboost.score(model, FRAME, MULTICLASS)
    np.testing.assert_array_equal(scores.values, SOFTPROB.predict(library.DMatrix(FRAME)))


def test_a_classifier_gives_its_classes_and_a_classifier_of_several_labels_none() -> None:
    scores = xgboost.score(CLASSIFIER, FRAME, BINARY)
    assert scores.labels is not None
    assert list(scores.labels) == [0, 1]
    model = library.XGBClassifier(n_estimators=3).fit(FRAME, np.column_stack([TWO, 1 - TWO]))
    scores = xgboost.score(model, FRAME, Target(T.MULTILABEL, ("x", "y")))
    assert scores.labels is None
    np.testing.assert_array_equal(scores.values, model.predict_proba(FRAME))


@pytest.mark.parametrize("model", [LOGISTIC, CLASSIFIER, make_pipeline(CLASSIFIER)], ids=["booster", "class", "pipe"])
@pytest.mark.parametrize(
    "table", [FRAME[["c", "a", "b"]], FRAME.assign(z="text"), FRAME.assign(z=1)[["z", "c", "b", "a"]]]
)
def test_columns_are_found_by_name_and_others_are_left_out(model: Any, table: pd.DataFrame) -> None:
    found = xgboost.score(model, table, BINARY).values
    np.testing.assert_array_equal(found, xgboost.score(model, FRAME, BINARY).values)


@pytest.mark.parametrize("model", [LOGISTIC, CLASSIFIER], ids=["booster", "class"])
def test_names_that_xgboost_refuses_are_passed_by_position_when_the_others_agree(model: Any) -> None:
    found = xgboost.score(model, FRAME.set_axis(["a", "b[0]", "c<1"], axis=1), BINARY).values
    np.testing.assert_array_equal(found, xgboost.score(model, FRAME, BINARY).values)
    with pytest.raises(InputError, match="lacks 1 of the columns that the model was fitted on: a"):
        xgboost.score(model, FRAME.set_axis(["b[0]", "b", "c"], axis=1)[["b", "b[0]", "c"]], BINARY)


def test_a_model_without_names_takes_columns_by_position() -> None:
    model = booster("binary:logistic", table=FRAME.to_numpy())
    found = xgboost.score(model, FRAME.set_axis(["x[0]", "<", "é"], axis=1), BINARY).values
    np.testing.assert_array_equal(found, LOGISTIC.predict(library.DMatrix(FRAME)))
    with pytest.raises(InputError, match="trained on 3 columns, found 2"):
        xgboost.score(model, FRAME[["a", "b"]], BINARY)


@pytest.mark.parametrize("model", [LOGISTIC, CLASSIFIER, make_pipeline(CLASSIFIER)], ids=["booster", "class", "pipe"])
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (FRAME[["a"]].assign(z=1), "lacks 2 of the columns that the model was fitted on: b, c"),
        (FRAME.assign(b="MARKER"), "columns that are not numeric: b; columns with infinite values: none"),
    ],
)
def test_a_table_the_model_cannot_use_is_an_input_error_that_names_columns_and_no_data(
    model: Any, table: pd.DataFrame, words: str
) -> None:
    with pytest.raises(InputError, match=words) as caught:
        xgboost.score(model, table, BINARY)
    assert "MARKER" not in str(caught.value)


def test_a_booster_takes_no_infinite_values_and_says_where_they_are() -> None:
    with pytest.raises(InputError, match="columns that are not numeric: none; columns with infinite values: c"):
        xgboost.score(LOGISTIC, FRAME.assign(c=-np.inf), BINARY)


def test_names_that_the_model_does_not_know_are_not_shown_because_they_may_be_data() -> None:
    model = booster("binary:logistic", table=FRAME.to_numpy())
    with pytest.raises(InputError, match="columns that are not numeric: 1;") as caught:
        xgboost.score(model, FRAME.assign(b="x").set_axis(["p", "MARKER", "q"], axis=1), BINARY)
    assert "MARKER" not in str(caught.value)


def test_missing_values_are_what_xgboost_makes_of_them() -> None:
    table = FRAME.mask(FRAME > 1)
    np.testing.assert_array_equal(
        xgboost.score(LOGISTIC, table, BINARY).values, LOGISTIC.predict(library.DMatrix(table))
    )


@pytest.mark.parametrize("is_native", [True, False])
def test_text_and_numbers_become_the_categories_of_the_training(is_native: bool) -> None:
    table = FRAME.assign(kind=KINDS.astype("category"), size=pd.Categorical(THREE * 10))
    model = library.XGBClassifier(n_estimators=3, enable_categorical=True).fit(table, KINDS == "elm")
    expected = model.predict_proba(table)
    if is_native:
        model, expected = model.get_booster(), expected[:, 1]
    rows = FRAME.assign(kind=KINDS, size=THREE * 10.0)
    np.testing.assert_array_equal(xgboost.score(model, rows, BINARY).values, expected)
    few = xgboost.score(model, rows.iloc[[1, 4]], BINARY).values
    np.testing.assert_array_equal(few, expected[[1, 4]])


def test_codes_of_categories_pass_as_they_are() -> None:
    table = FRAME.assign(code=THREE)
    data = library.DMatrix(table, label=TWO, feature_types=["float"] * 3 + ["c"], enable_categorical=True)
    model = library.train({"objective": "binary:logistic"}, data, 3)
    np.testing.assert_array_equal(xgboost.score(model, table, BINARY).values, model.predict(data))


# Noise, so that the best round comes long before the last.
NOISE = np.random.default_rng(5).integers(0, 2, 60)
STOPPED = library.XGBClassifier(n_estimators=60, early_stopping_rounds=20, learning_rate=1.0).fit(
    FRAME[:40], NOISE[:40], eval_set=[(FRAME[40:], NOISE[40:])], verbose=False
)


@pytest.mark.parametrize("form", [".json", ".ubj", "pickle"])
def test_a_booster_whose_training_stopped_early_scores_like_the_class_that_trained_it(
    tmp_path: Path, form: str
) -> None:
    booster = STOPPED.get_booster()
    assert booster.best_iteration + 1 < booster.num_boosted_rounds()
    if form == "pickle":
        model = pickle.loads(pickle.dumps(booster))
    else:
        STOPPED.save_model(tmp_path / f"model{form}")
        model = xgboost.load(tmp_path / f"model{form}")
    expected = STOPPED.predict_proba(FRAME)[:, 1]
    np.testing.assert_array_equal(xgboost.score(model, FRAME, BINARY).values, expected)
    assert (booster.predict(library.DMatrix(FRAME)) != expected).any()


def test_a_linear_booster_that_stopped_early_has_no_rounds_to_choose_from() -> None:
    data = library.DMatrix(FRAME, label=NOISE)
    parameters = {"objective": "binary:logistic", "booster": "gblinear", "updater": "coord_descent"}
    model = library.train(parameters, data, 60, evals=[(data, "e")], early_stopping_rounds=3, verbose_eval=False)
    assert model.attr("best_iteration") is not None
    np.testing.assert_array_equal(xgboost.score(model, FRAME, BINARY).values, model.predict(data))


TWO_COLUMNS = booster("multi:softprob", TWO, num_class=2)


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
@pytest.mark.parametrize("form", [".json", ".ubj", ".pkl"])
@pytest.mark.parametrize("model", [LOGISTIC, TWO_COLUMNS], ids=["one column", "two columns"])
def test_the_positive_probability_lands_on_the_positive_label(
    tmp_path: Path, model: library.Booster, form: str, has_hook: bool
) -> None:
    path = tmp_path / f"model{form}"
    if form == ".pkl":
        path.write_bytes(pickle.dumps(model))
    else:
        model.save_model(path)
    expected = np.asarray(model.predict(library.DMatrix(FRAME))).reshape(len(FRAME), -1)[:, -1]
    assert_sides(tmp_path, FRAME, expected, has_hook=has_hook)


@pytest.mark.parametrize("has_hook", [False, True], ids=["alone", "post_process"])
def test_probabilities_stay_on_the_classes_of_a_classifier(tmp_path: Path, has_hook: bool) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(CLASSIFIER))
    expected = CLASSIFIER.predict_proba(FRAME)[:, 0]
    assert_sides(tmp_path, FRAME, expected, has_hook=has_hook, labels=("1", "0"))


def test_the_version_that_made_a_model_is_read_without_xgboost(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(library.XGBRegressor(n_estimators=2).fit(FRAME, FRAME["a"])))
    joblib.dump(LOGISTIC, tmp_path / "model.joblib", compress=3)
    for suffix in (".json", ".ubj"):
        LOGISTIC.save_model(tmp_path / f"model{suffix}")
    found = {path.suffix: making.made_with(path) for path in tmp_path.iterdir()}
    assert found == {key: {Version("xgboost", library.__version__)} for key in (".pkl", ".joblib", ".json", ".ubj")}


@pytest.mark.parametrize("suffix", [".json", ".ubj"])
@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror"])
def test_the_objective_of_a_native_model_is_read_without_xgboost(tmp_path: Path, objective: str, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    booster(objective).save_model(path)
    assert objectives.of(path) == objective.partition(":")[0]


def test_a_pickle_of_an_older_version_is_told_in_one_notice(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    # XGBoost warns once in a process.
    numbers = [bytes(part for number in each for part in (ord("i"), int(number))) for each in (HERE, OLD)]
    before, after = (b"\x07version[#L" + bytes(7) + b"\x03" + end for end in numbers)
    data = pickle.dumps(CLASSIFIER)
    assert data.count(before) == 2
    (tmp_path / "model.pkl").write_bytes(data.replace(before, after))
    opened = opening.load(codedir.open_folder(tmp_path))
    made, installed = ".".join(OLD), library.__version__
    assert str(opened.notice).startswith(f"model.pkl was made with XGBoost {made}, and xgboost-cpu {installed} is inst")
    assert list(recwarn) == []


# Sparse tables: what is not stored is missing to XGBoost, in training as well.

MATRIX = csr_matrix(FRAME.to_numpy() * (FRAME.to_numpy() > 0.3))
FITTED_ON_A_MATRIX = library.XGBClassifier(n_estimators=3).fit(MATRIX, TWO)
LINEAR = library.XGBRegressor(n_estimators=3, booster="gblinear").fit(MATRIX, TWO)


@pytest.mark.parametrize("names", [None, ["a", "b", "c"]], ids=["no names", "names"])
def test_a_sparse_table_is_scored_as_xgboost_scores_the_matrix(names: list[str] | None) -> None:
    table = matrices.table(MATRIX, names)
    for model in (FITTED_ON_A_MATRIX, CLASSIFIER):
        np.testing.assert_array_equal(xgboost.score(model, table, BINARY).values, model.predict_proba(MATRIX))
    np.testing.assert_array_equal(xgboost.score(LINEAR, table, REGRESSION).values, LINEAR.predict(MATRIX))
    expected = LOGISTIC.predict(library.DMatrix(MATRIX, feature_names=["a", "b", "c"]))
    np.testing.assert_array_equal(xgboost.score(LOGISTIC, table, BINARY).values, expected)


def test_the_columns_of_a_sparse_table_are_put_into_order() -> None:
    table = matrices.table(MATRIX, ["a", "b", "c"])[["c", "a", "b"]]
    expected = CLASSIFIER.predict_proba(MATRIX)
    np.testing.assert_array_equal(xgboost.score(CLASSIFIER, table, BINARY).values, expected)


@pytest.mark.parametrize("model", [LOGISTIC, CLASSIFIER, make_pipeline(CLASSIFIER)], ids=["booster", "class", "pipe"])
def test_the_columns_of_a_table_without_rows_are_checked(model: Any) -> None:
    xgboost.check_columns(model, FRAME[:0])
    with pytest.raises(InputError, match="lacks 2 of the columns that the model was fitted on"):
        xgboost.check_columns(model, FRAME[["a"]][:0])


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (LOGISTIC, BINARY),
        (SOFTPROB, MULTICLASS),
        (CLASSIFIER, BINARY),
        (library.XGBRegressor(n_estimators=3, missing=0.0).fit(FRAME, TWO), REGRESSION),
        (make_pipeline(StandardScaler(), library.XGBRegressor(n_estimators=3)).fit(FRAME, TWO), REGRESSION),
    ],
    ids=["booster", "multiclass", "class", "regressor", "pipeline"],
)
def test_rows_are_scored_alike_without_a_table(model: Any, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy machine makes no model slow.
    monkeypatch.setattr(bare, "WORTH_SECONDS", 60.0)
    rows = Rows(Header(FRAME.columns), FRAME.to_numpy().tolist(), [False] * 3)
    proved = xgboost.bare(model, target)
    assert proved is not None
    found, expected = proved.rows(rows), xgboost.score(model, rows.table(), target)
    assert found is not None
    np.testing.assert_array_equal(found.values, expected.values)
    assert str(found.labels) == str(expected.labels)
