"""Transform models written as hooks: how their transform is called, and what it may return."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from custom_model_runner import predictor
from custom_model_runner.data.payload import Payload
from custom_model_runner.data.transformed import Transformed
from custom_model_runner.errors import ContractError, LoadError, Unsupported, UserCodeError
from custom_model_runner.predictor import Predictor

from ..folders import pickled, plant

TABLE = Payload(b"a,b\n1,2\n3,4\n", "text/csv")
TARGET = Payload(b"y\n5\n7\n", "text/csv")
FRAME = pd.DataFrame({"a": [1, 3], "b": [2, 4]})
SCALER = StandardScaler().fit(FRAME)


def load(folder: Path, hooks: str, files: dict[str, bytes] | None = None, kind: str | None = "transform") -> Predictor:
    plant(folder, {"custom.py": f"import pandas as pd\n{hooks}", **(files or {})})
    return predictor.load(folder, **({} if kind is None else {"target_type": kind}))


def transform(folder: Path, hooks: str, files: dict[str, bytes] | None = None, y: Payload | None = None) -> Transformed:
    with load(folder, hooks, files) as loaded:
        return loaded.transform(TABLE, y)


def test_a_hook_of_two_arguments_gets_the_table_and_the_model(tmp_path: Path) -> None:
    hooks = "def load_model(code_dir):\n    return 10\ndef transform(data, model):\n    return data * model\n"
    assert transform(tmp_path, hooks, y=TARGET).table.to_numpy().tolist() == [[10, 20], [30, 40]]


@pytest.mark.parametrize("parameters", ["data, model, target", "data, model, target=None", "*args", "data, *rest"])
def test_a_hook_of_three_arguments_gets_the_target_as_a_table(tmp_path: Path, parameters: str) -> None:
    names = {"*args": "data, model, target = args", "data, *rest": "model, target = rest"}.get(parameters, "pass")
    hooks = f"def transform({parameters}):\n    {names}\n    return data.assign(c=data['a'] + target['y'])\n"
    assert transform(tmp_path, hooks, y=TARGET).table["c"].tolist() == [6, 10]


def test_a_hook_of_three_arguments_gets_none_where_no_target_came_along(tmp_path: Path) -> None:
    hooks = "def transform(data, model, target):\n    return data.assign(c=target is None)\n"
    assert transform(tmp_path, hooks).table["c"].tolist() == [True, True]


@pytest.mark.parametrize("parameters", ["", "data", "data, model, target, more", "data, model, target, more=1"])
def test_a_hook_of_another_number_of_arguments_is_refused(tmp_path: Path, parameters: str) -> None:
    with pytest.raises(LoadError, match=r"by position, expected transform\(data, model\) or transform\("):
        load(tmp_path, f"def transform({parameters}):\n    pass\n")


def test_a_keyword_that_nobody_gives_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="The transform hook has the signature"):
        load(tmp_path, "def transform(data, model, *, more):\n    pass\n")


def test_the_target_goes_back_as_it_came(tmp_path: Path) -> None:
    hooks = "def transform(data, model, target):\n    target['y'] = 0\n    return data\n"
    found = transform(tmp_path, hooks, y=TARGET).target
    assert found is not None
    assert found["y"].tolist() == [5, 7]


def test_what_the_user_reads_is_transformed(tmp_path: Path) -> None:
    hooks = """
def read_input_data(data):
    return pd.DataFrame({"size": [len(data)]})

def transform(data, model):
    return data + 1
"""
    assert transform(tmp_path, hooks).table["size"].tolist() == [len(TABLE.data) + 1]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("data, data", "Transformation of the target variable is not supported by DRUM."),
        ("data['a']", "The transform hook returned Series, expected a DataFrame"),
        ("data.to_numpy()", "The transform hook returned ndarray, expected a DataFrame"),
        ("None", "The transform hook returned NoneType, expected a DataFrame"),
        ("data[:1]", "must keep the rows: 2 came in, but 1 went out"),
        ("data.rename(columns={'a': ' '})", "column 0 has no name"),
    ],
)
def test_a_result_that_is_no_transformed_table_breaks_the_contract(tmp_path: Path, result: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        transform(tmp_path, f"def transform(data, model):\n    return {result}\n")


def test_a_hook_that_raises_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserCodeError, match=r"The transform hook raised. Exception: ValueError\('why'\)"):
        transform(tmp_path, "def transform(data, model):\n    raise ValueError('why')\n")


def test_a_hook_comes_before_the_artifact_s_own_transform(tmp_path: Path) -> None:
    hooks = "def transform(data, model):\n    return data.assign(kind=type(model).__name__)\n"
    files = {"model.pkl": pickled(SCALER)}
    assert transform(tmp_path, hooks, files).table["kind"].tolist() == ["StandardScaler"] * 2


def test_the_artifact_transforms_what_a_hook_reads(tmp_path: Path) -> None:
    hooks = "def read_input_data(data):\n    return pd.DataFrame({'a': [1, 3], 'b': [2, 4]})\n"
    found = transform(tmp_path, hooks, {"model.pkl": pickled(SCALER)})
    assert found.table.to_numpy().tolist() == SCALER.transform(FRAME).tolist()


def test_without_a_hook_the_table_must_be_one(tmp_path: Path) -> None:
    hooks = "def read_input_data(data):\n    return 5\n"
    with pytest.raises(ContractError, match="returned int; without a transform hook it must be a DataFrame"):
        transform(tmp_path, hooks, {"model.pkl": pickled(SCALER)})


def test_without_a_hook_the_artifact_must_be_a_transformer(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="found LinearRegression without a transform method: write a transform hook"):
        load(tmp_path, "", {"model.pkl": pickled(LinearRegression().fit(FRAME, [0, 1]))})


def test_a_folder_of_a_transformer_and_a_hook_is_a_transform_model_by_itself(tmp_path: Path) -> None:
    hooks = "def transform(data, model, target):\n    return data\n"
    with load(tmp_path, hooks, {"model.pkl": pickled(SCALER)}, kind=None) as loaded:
        assert loaded.info.target.type.value == "transform"
        assert loaded.info.notice == "no target type given: transform inferred from the model"
        assert loaded.info.framework is None


def test_a_transformer_beside_a_score_hook_does_not_make_a_transform_model(tmp_path: Path) -> None:
    hooks = "def score(data, model, **kwargs):\n    return pd.DataFrame({'p': model.transform(data)[:, 0]})\n"
    with load(tmp_path, hooks, {"model.pkl": pickled(SCALER)}, kind=None) as loaded:
        assert loaded.info.target.type.value == "regression"
        assert loaded.score(TABLE).values.tolist() == SCALER.transform(FRAME)[:, :1].tolist()


def test_a_transform_model_does_not_score_even_with_the_hook(tmp_path: Path) -> None:
    hooks = "def transform(data, model):\n    return data\ndef score(data, model):\n    return data\n"
    with load(tmp_path, hooks) as loaded, pytest.raises(Unsupported, match="use the /transform/ endpoint"):
        loaded.score(TABLE)
