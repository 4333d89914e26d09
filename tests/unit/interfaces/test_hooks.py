"""A user file and the hooks in it: when each runs, what it gets and what it may return."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from custom_model_runner import predictor
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import ContractError, CustomHTTPError, InputError, LoadError, Unsupported, UserCodeError
from custom_model_runner.predictor import Predictor

from ..folders import pickled, plant

TABLE = Payload(b"a,b\n1,2\n3,4\n", "text/csv")
PREAMBLE = """
import json
import pathlib
import pandas as pd

def ones(data):
    return pd.DataFrame({"Predictions": [1.0] * len(data)})
"""
SCORE = """
def score(data, model, **kwargs):
    return ones(data)
"""
SPY = """
def score(data, model, **kwargs):
    pathlib.Path(__file__).with_name("seen.json").write_text(json.dumps(kwargs, default=str))
    labels = kwargs.get("class_labels") or [kwargs.get("positive_class_label"), kwargs.get("negative_class_label")]
    return pd.DataFrame([[1.0] + [0.0] * (len(labels) - 1)] * len(data), columns=labels) if labels[0] else ones(data)
"""
ARTIFACT = pickled(LinearRegression().fit(pd.DataFrame({"a": [0, 1, 0], "b": [0, 0, 1]}), [1.0, 2.0, 3.0]))


def load(folder: Path, hooks: str, files: dict[str, str | bytes] | None = None, **options: Any) -> Predictor:
    plant(folder, {"custom.py": dedent(PREAMBLE) + dedent(hooks), **(files or {})})
    return predictor.load(folder, **options)


def score(folder: Path, hooks: str, files: dict[str, str | bytes] | None = None, **options: Any) -> list[list[Any]]:
    with load(folder, hooks, files, **options) as loaded:
        rows: list[list[Any]] = loaded.score(TABLE).values.tolist()
        return rows


def answer(folder: Path, body: str, payload: Payload, **call: Any) -> Any:
    """What a score_unstructured hook sees, told as JSON."""
    hooks = f"def score_unstructured(model, data, **kwargs):\n    return json.dumps({body}, default=str)\n"
    with load(folder, hooks, target_type="unstructured") as loaded:
        return json.loads(loaded.answer(payload, call.get("query", {}), call.get("headers")).body)


# When each hook runs.


def test_every_structured_hook_runs_once_and_in_order(tmp_path: Path) -> None:
    hooks = """
        order = []

        def init(code_dir):
            order.append("init")

        def read_input_data(data):
            order.append("read_input_data")
            return pd.DataFrame({"a": [1]})

        def load_model(code_dir):
            order.append("load_model")
            return "model"

        def transform(data, model):
            order.append("transform")
            return data

        def score(data, model, **kwargs):
            order.append("score")
            return ones(data)

        def post_process(predictions, model):
            order.append("post_process")
            pathlib.Path(__file__).with_name("order.json").write_text(json.dumps(order))
            return predictions
    """
    score(tmp_path, hooks)
    assert json.loads((tmp_path / "order.json").read_text()) == [
        "init",
        "load_model",
        "read_input_data",
        "transform",
        "score",
        "post_process",
    ]


@pytest.mark.parametrize("parameters", ["code_dir", "code_dir=None", "**kwargs", ""])
def test_init_may_take_the_folder_or_nothing(tmp_path: Path, parameters: str) -> None:
    assert score(tmp_path, f"def init({parameters}):\n    pass\n{SCORE}") == [[1.0], [1.0]]


def test_init_and_load_model_get_the_folder_as_text(tmp_path: Path) -> None:
    hooks = """
        def init(code_dir):
            assert code_dir == str(pathlib.Path(__file__).parent)

        def load_model(code_dir):
            return {"folder": code_dir}

        def score(data, model, **kwargs):
            assert model == {"folder": str(pathlib.Path(__file__).parent)}
            return ones(data)
    """
    assert score(tmp_path, hooks) == [[1.0], [1.0]]


def test_a_hook_gets_the_bytes_of_the_input(tmp_path: Path) -> None:
    hooks = "def read_input_data(data):\n    return pd.DataFrame({'n': [len(data)]})\n"
    hooks += "def score(data, model):\n    return pd.DataFrame({'Predictions': data['n']})\n"
    assert score(tmp_path, hooks) == [[len(TABLE.data)]]


def test_column_names_reach_hooks_untouched(tmp_path: Path) -> None:
    hooks = (
        "def score(data, model):\n    return pd.DataFrame({'Predictions': [list(data) == [' ä', 'b/[1]', 'x y']]})\n"
    )
    with load(tmp_path, hooks) as loaded:
        assert loaded.score(Payload(" ä,b/[1],x y\n1,2,3\n".encode())).values.tolist() == [[1.0]]


def test_the_artifact_is_scored_by_its_framework_on_what_transform_returns(tmp_path: Path) -> None:
    hooks = "def transform(data, model):\n    return data * 10\n"
    assert score(tmp_path, hooks, {"model.pkl": ARTIFACT}) == [[pytest.approx(51)], [pytest.approx(111)]]


def test_a_hook_gets_the_artifact(tmp_path: Path) -> None:
    hooks = "def score(data, model, **kwargs):\n    return pd.DataFrame({'Predictions': model.predict(data)})"
    assert score(tmp_path, hooks, {"model.pkl": ARTIFACT}) == [[pytest.approx(6)], [pytest.approx(12)]]


def test_load_model_chooses_among_several_artifacts(tmp_path: Path) -> None:
    hooks = """
        import pickle

        def load_model(code_dir):
            return pickle.loads(pathlib.Path(code_dir, "a.pkl").read_bytes())
    """
    assert len(score(tmp_path, hooks, {"a.pkl": ARTIFACT, "b.pkl": b"x"})) == 2


def test_a_user_file_without_hooks_leaves_the_artifact_as_it_is(tmp_path: Path) -> None:
    assert score(tmp_path, "", {"model.pkl": ARTIFACT}) == [[pytest.approx(6)], [pytest.approx(12)]]


def test_post_process_gets_the_labelled_predictions_without_the_extra_columns(tmp_path: Path) -> None:
    hooks = """
        def score(data, model, **kwargs):
            return pd.DataFrame({"why": "x", "YES": [0.9, 0.9], "No": [0.1, 0.1]})[["YES", "No"]]

        def post_process(predictions, model):
            assert list(predictions.columns) == ["yes", "no"]
            return 1 - predictions
    """
    rows = score(tmp_path, hooks, positive_class_label="yes", negative_class_label="no")
    assert rows == [[pytest.approx(0.1), 0.9]] * 2


def test_extra_columns_survive_post_process(tmp_path: Path) -> None:
    hooks = """
        def score(data, model, **kwargs):
            return ones(data).assign(why="x")

        def post_process(predictions, model):
            assert list(predictions.columns) == ["Predictions"]
            return predictions + 1
    """
    with load(tmp_path, hooks) as loaded:
        result = loaded.score(TABLE)
    assert result.extra is not None
    assert (result.values.tolist(), result.extra["why"].tolist()) == ([[2.0], [2.0]], ["x", "x"])


def test_predictions_and_extra_columns_are_matched_by_position_and_not_by_index(tmp_path: Path) -> None:
    hooks = """
        def score(data, model, **kwargs):
            return pd.DataFrame({"Predictions": [1.0, 2.0], "why": ["x", "y"]}, index=[5, 5])
    """
    with load(tmp_path, hooks) as loaded:
        result = loaded.score(TABLE)
    assert result.extra is not None
    assert (result.values.tolist(), result.extra["why"].tolist()) == ([[1.0], [2.0]], ["x", "y"])


# What each hook gets.


def seen(folder: Path, payload: Payload, charset: str | None = None, **options: Any) -> dict[str, Any]:
    with load(folder, SPY, **options) as loaded:
        loaded.score(payload, charset=charset)
    keywords: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return keywords


COMMON = {"binary_data": str(TABLE.data), "mimetype": "text/csv", "sparse_colnames": None}


def test_score_gets_the_bytes_their_type_and_the_target_s_type(tmp_path: Path) -> None:
    assert seen(tmp_path, TABLE) == {**COMMON, "target_type": "regression"}


def test_score_gets_the_labels_of_a_binary_target(tmp_path: Path) -> None:
    options = {"positive_class_label": "yes", "negative_class_label": "no"}
    assert seen(tmp_path, TABLE, **options) == {**COMMON, "target_type": "binary", **options}


@pytest.mark.parametrize("kind", ["multiclass", "multilabel"])
def test_score_gets_the_labels_of_other_classification_targets(tmp_path: Path, kind: str) -> None:
    keywords = seen(tmp_path, TABLE, target_type=kind, class_labels=("c", "a", "b"))
    assert keywords == {**COMMON, "target_type": kind, "class_labels": ["c", "a", "b"]}


def test_score_gets_the_charset_that_a_server_names(tmp_path: Path) -> None:
    assert seen(tmp_path, TABLE, charset="utf8") == {**COMMON, "target_type": "regression", "charset": "utf8"}


def test_score_gets_the_column_names_that_came_with_a_sparse_matrix_as_a_list(tmp_path: Path) -> None:
    matrix = b"%%MatrixMarket matrix coordinate integer general\n1 2 1\n1 2 5\n"
    hooks = """
        def score(data, model, sparse_colnames):
            assert sparse_colnames == ["a", "b"]
            assert list(data.columns) == ["a", "b"]
            return data[["b"]]
    """
    with load(tmp_path, hooks) as loaded:
        assert loaded.score(Payload(matrix, "text/mtx", column_names=("a", "b"))).values.tolist() == [[5.0]]


def test_a_payload_without_a_type_is_csv_to_score(tmp_path: Path) -> None:
    assert seen(tmp_path, Payload(TABLE.data))["mimetype"] == "text/csv"


def test_the_target_type_that_score_gets_is_the_alias_s(tmp_path: Path) -> None:
    hooks = """
        from datarobot_drum import TargetType

        def score(data, model, target_type):
            assert target_type is TargetType.REGRESSION
            return ones(data)
    """
    assert score(tmp_path, hooks) == [[1.0], [1.0]]


def test_score_needs_no_keyword_arguments(tmp_path: Path) -> None:
    assert score(tmp_path, "def score(data, model):\n    return ones(data)\n") == [[1.0], [1.0]]


# What each hook may return, and raise.


def test_another_name_for_the_single_column_is_fine(tmp_path: Path) -> None:
    hooks = "def score(data, model, **kwargs):\n    return pd.DataFrame({'whatever': data['a'] * 2})\n"
    assert score(tmp_path, hooks) == [[2.0], [6.0]]


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        ("def score(data, model):\n    return [1.0, 2.0]\n", "The score hook returned list, expected a DataFrame"),
        ("def score(data, model):\n    pass\n", "The score hook returned NoneType, expected a DataFrame"),
        ("def score(data, model):\n    return data['a']\n", "The score hook returned Series, expected a DataFrame"),
        (
            f"def transform(data, model):\n    return 5\n{SCORE}",
            "The transform hook returned int, expected a DataFrame",
        ),
        (
            f"def transform(data, model):\n    return data, data\n{SCORE}",
            "Transformation of the target variable is not supported by DRUM.",
        ),
        (
            f"def post_process(predictions, model):\n    return 'x'\n{SCORE}",
            "The post_process hook returned str, expected a DataFrame",
        ),
        (
            f"def read_input_data(data):\n    pass\n{SCORE}",
            "The read_input_data hook returned None, expected the data it read",
        ),
        (
            "def score(data, model):\n    return ones(data)[:1]\n",
            "Expected one prediction per row of input: 2 rows, but 1 predictions",
        ),
        (
            f"def post_process(predictions, model):\n    return predictions[:1]\n{SCORE}",
            "Expected one prediction per row of input: 2 rows, but 1 predictions",
        ),
        (
            "def score(data, model):\n    return ones(data).assign(more=1)[['more']].assign(less=1)\n",
            "Expected one column named 'Predictions' among the predictions, found columns",
        ),
    ],
)
def test_a_hook_that_returns_something_else_breaks_the_contract(tmp_path: Path, hooks: str, words: str) -> None:
    with pytest.raises(ContractError) as caught:
        score(tmp_path, hooks)
    assert words in str(caught.value)


def test_rows_are_counted_in_what_read_input_data_returned(tmp_path: Path) -> None:
    hooks = f"def read_input_data(data):\n    return pd.DataFrame({{'a': [1, 2, 3]}})\n{SCORE}"
    assert score(tmp_path, hooks) == [[1.0], [1.0], [1.0]]


def test_without_a_table_the_number_of_predictions_is_the_hook_s_affair(tmp_path: Path) -> None:
    hooks = "def read_input_data(data):\n    return iter(data)\ndef score(data, model):\n    return ones([1, 2, 3])\n"
    assert score(tmp_path, hooks) == [[1.0], [1.0], [1.0]]


def test_what_is_no_table_cannot_be_scored_by_a_framework(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="The read_input_data hook returned bytes; without a score hook it must be"):
        score(tmp_path, "def read_input_data(data):\n    return data\n", {"model.pkl": ARTIFACT})


@pytest.mark.parametrize("name", ["read_input_data", "transform", "score", "post_process"])
@pytest.mark.parametrize(
    ("statement", "shown"), [("raise KeyError('x')", "KeyError('x')"), ("exit(3)", "SystemExit(3)")]
)
def test_a_hook_that_raises_is_named_with_what_it_raised(tmp_path: Path, name: str, statement: str, shown: str) -> None:
    hooks = f"{'' if name == 'score' else SCORE}\ndef {name}(*args):\n    {statement}\n"
    with pytest.raises(UserCodeError) as caught:
        score(tmp_path, hooks)
    line = next(n for n, text in enumerate((tmp_path / "custom.py").read_text().splitlines(), 1) if statement in text)
    assert str(caught.value) == f"The {name} hook raised. Exception: {shown} (custom.py:{line})"


@pytest.mark.parametrize(
    ("name", "parameters"), [("score", "data, model"), ("transform", "data, model"), ("read_input_data", "data")]
)
def test_an_error_for_the_client_passes_unwrapped(tmp_path: Path, name: str, parameters: str) -> None:
    hooks = f"""
from datarobot_drum import CustomHTTPError
{"" if name == "score" else SCORE}
def {name}({parameters}):
    raise CustomHTTPError("no such ship", 404)
"""
    with pytest.raises(CustomHTTPError) as caught:
        score(tmp_path, hooks)
    assert (caught.value.message, caught.value.status) == ("no such ship", 404)


# What is refused when the folder is loaded.


@pytest.mark.parametrize("name", ["init", "load_model"])
def test_an_error_for_the_client_at_load_is_a_load_error(tmp_path: Path, name: str) -> None:
    hooks = f"""
from datarobot_drum import CustomHTTPError
{SCORE}
def {name}(code_dir):
    raise CustomHTTPError("no licence", 402)
"""
    with pytest.raises(LoadError, match=r"^The folder's own code refuses to load: no licence$"):
        score(tmp_path, hooks)


@pytest.mark.parametrize("name", ["init", "load_model"])
@pytest.mark.parametrize(
    ("statement", "shown"), [("raise KeyError('x')", "KeyError('x')"), ("exit(3)", "SystemExit(3)")]
)
def test_a_hook_that_raises_at_load_is_a_load_error(tmp_path: Path, name: str, statement: str, shown: str) -> None:
    with pytest.raises(LoadError) as caught:
        load(tmp_path, f"def {name}(code_dir):\n    {statement}\n{SCORE}")
    line = next(n for n, text in enumerate((tmp_path / "custom.py").read_text().splitlines(), 1) if statement in text)
    assert str(caught.value) == f"The {name} hook raised. Exception: {shown} (custom.py:{line})"


@pytest.mark.parametrize(
    ("hooks", "words"),
    [
        (
            f"def load_model(code_dir):\n    pass\n{SCORE}",
            "The load_model hook returned None, expected the loaded model",
        ),
        ("def score(data):\n    pass\n", r"The score hook has the signature score\(data\), expected 2 positional"),
        ("def score(data, model, colour):\n    pass\n", "expected 2 positional argument"),
        (f"def read_input_data():\n    pass\n{SCORE}", "The read_input_data hook has the signature"),
        (f"def transform(data, model, target):\n    pass\n{SCORE}", "The transform hook has the signature"),
        (f"def post_process(predictions):\n    pass\n{SCORE}", "The post_process hook has the signature"),
        (f"def init(place):\n    pass\n{SCORE}", r"The init hook has the signature init\(place\)"),
        ("def score_unstructured(data):\n    pass\n", "The score_unstructured hook has the signature"),
        ("score = 5\n", "score must be a function, found int"),
        ("import absent_package\n", r"Failed loading hooks from \[.*custom.py\] : ModuleNotFoundError"),
        ("def score(:\n", r"Failed loading hooks from \[.*custom.py\] : SyntaxError"),
        (
            "raise RuntimeError('x')\n",
            r"Failed loading hooks from \[.*custom.py\] : RuntimeError\('x'\) \(custom.py:\d+\)$",
        ),
        ("exit(0)\n", r"Failed loading hooks from \[.*custom.py\] : SystemExit\(0\)"),
        (
            "def transform(data, model):\n    return data\n",
            "Could not find a model artifact file .*; if its transform hook is the whole model, "
            "choose --target-type transform$",
        ),
        (
            "def load_model(code_dir):\n    return 5\n",
            "Could not find any framework to handle loaded model and a score hook is not provided: found builtins.int",
        ),
    ],
)
def test_a_user_file_that_cannot_work_is_a_load_error(tmp_path: Path, hooks: str, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        load(tmp_path, hooks)


def test_a_folder_that_cannot_be_loaded_leaves_nothing_importable(tmp_path: Path) -> None:
    with pytest.raises(LoadError):
        load(tmp_path, "import helper\nscore = 5\n", {"helper.py": ""})
    with pytest.raises(ModuleNotFoundError):
        __import__("helper")


def test_an_unstructured_target_needs_its_hook(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="needs a score_unstructured hook; the user file has none"):
        load(tmp_path, SCORE, target_type="unstructured")


def test_only_an_unstructured_hook_makes_the_target_unstructured(tmp_path: Path) -> None:
    with load(tmp_path, "def score_unstructured(model, data):\n    return data\n") as loaded:
        assert loaded.info.target.type == "unstructured"


def test_both_kinds_of_score_hook_make_a_structured_target(tmp_path: Path) -> None:
    with load(tmp_path, f"def score_unstructured(model, data):\n    return data\n{SCORE}") as loaded:
        assert loaded.info.target.type == "regression"


def test_the_target_of_the_artifact_is_that_of_the_folder(tmp_path: Path) -> None:
    with load(tmp_path, SCORE, {"model.pkl": ARTIFACT}) as loaded:
        assert str(loaded.info.notice) == "no target type given: regression inferred from the model"


def test_the_framework_is_not_named_where_a_hook_scores(tmp_path: Path) -> None:
    with load(tmp_path, SCORE, {"model.pkl": ARTIFACT}) as loaded:
        assert loaded.info.framework is None


# Unstructured calls.


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (None, ["'caf\\xe9'", {"mimetype": "text/plain", "charset": "utf8"}]),
        ("", ["'caf\\xe9'", {"mimetype": "text/plain", "charset": "utf8"}]),
        ("text/plain", ["'caf\\xe9'", {"mimetype": "text/plain", "charset": "utf8"}]),
        ("text/plain; charset=UTF-8", ["'caf\\xe9'", {"mimetype": "text/plain", "charset": "UTF-8"}]),
        ("text/html; charset=latin-1", ["'caf\\xc3\\xa9'", {"mimetype": "text/html", "charset": "latin-1"}]),
        ("application/json", ["'caf\\xe9'", {"mimetype": "application/json", "charset": "utf8"}]),
        ("application/octet-stream", ["b'caf\\xc3\\xa9'", {"mimetype": "application/octet-stream"}]),
        ("image/png; charset=x", ["b'caf\\xc3\\xa9'", {"mimetype": "image/png", "charset": "x"}]),
        ("junk", ["b'caf\\xc3\\xa9'", {"mimetype": "junk"}]),
        (
            "multipart/form-data; boundary=x",
            ["b'caf\\xc3\\xa9'", {"mimetype": "multipart/form-data"}],
        ),
    ],
)
def test_a_content_type_decides_what_an_unstructured_hook_gets(
    tmp_path: Path, content_type: str | None, expected: list[Any]
) -> None:
    payload = Payload.of("café".encode(), content_type)
    assert answer(tmp_path, "[ascii(data), {k: v for k, v in kwargs.items() if k != 'query'}]", payload) == expected


def test_an_empty_body_is_an_empty_text(tmp_path: Path) -> None:
    assert answer(tmp_path, "data", Payload(b"")) == ""


def test_an_unstructured_hook_gets_the_query(tmp_path: Path) -> None:
    assert answer(tmp_path, "kwargs['query']", Payload(b""), query={"a": "1"}) == {"a": "1"}


def test_an_unstructured_hook_gets_the_headers_of_a_request(tmp_path: Path) -> None:
    assert answer(tmp_path, "kwargs['headers']", Payload(b""), headers={"A": "1"}) == {"A": "1"}


def test_an_unstructured_hook_gets_no_headers_in_batch(tmp_path: Path) -> None:
    assert answer(tmp_path, "sorted(kwargs)", Payload(b"")) == ["charset", "mimetype", "query"]


@pytest.mark.parametrize(("data", "content_type"), [(b"caf\xe9", "text/plain"), (b"x", "text/plain; charset=klingon")])
def test_a_text_that_cannot_be_decoded_is_an_input_error(tmp_path: Path, data: bytes, content_type: str) -> None:
    with pytest.raises(InputError):
        answer(tmp_path, "data", Payload.of(data, content_type))


def test_an_unstructured_model_cannot_score_a_table(tmp_path: Path) -> None:
    with (
        load(tmp_path, "def score_unstructured(model, data):\n    return data\n") as loaded,
        pytest.raises(Unsupported),
    ):
        loaded.score(TABLE)


# Traits.


@pytest.mark.parametrize(
    ("hooks", "metadata", "expected"),
    [
        (SCORE, "", False),
        (SCORE, "runner:\n  threadSafe: true\n", True),
        ("", "", True),
        ("", "runner:\n  threadSafe: false\n", False),
    ],
)
def test_user_code_is_not_thread_safe_unless_its_author_says_so(
    tmp_path: Path, hooks: str, metadata: str, expected: bool
) -> None:
    text = f"name: x\ntype: inference\ntargetType: regression\n{metadata}"
    with load(tmp_path, hooks, {"model.pkl": ARTIFACT, "model-metadata.yaml": text}) as loaded:
        assert loaded.model.traits.is_thread_safe is expected
