"""Hooks that fail since a column of numbers is text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from custom_model_runner.batch.rest import InBlock
from custom_model_runner.errors import UserCodeError

from ..folders import plant
from .runs import score

HOOKS = "def score(data, model, **kwargs):\n    return (data[['b']] + 1).set_axis(['Predictions'], axis=1)\n"
ROWS = ["x,1"] * 9


def told(tmp_path: Path, rows: list[str], *, hooks: str = HOOKS, **given: Any) -> str:
    """Return the message of a run that fails."""
    folder = plant(tmp_path, {"code/custom.py": hooks, "in.csv": "\n".join(["a,b", *rows, ""])})
    with pytest.raises(InBlock) as caught:
        score(folder / "code", tmp_path / "in.csv", **given)
    assert caught.value.exit_code == UserCodeError.exit_code
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:The inplace keyword")
@pytest.mark.parametrize("given", [{"whole_file": True}, {"batch_rows": 20}])
def test_rows_are_those_that_came_where_the_hook_drops_some_in_place(tmp_path: Path, given: dict[str, Any]) -> None:
    dropping = HOOKS.replace("\n", "\n    data.drop(index=data.index[:5], inplace=True)\n", 1)
    found = told(tmp_path, [*ROWS, "x,y", *ROWS], hooks=dropping, **given)
    assert found.startswith("Rows 1 to 19 of 'in.csv': ")
    assert found.endswith(" but in row 10")


@pytest.mark.parametrize("given", [{}, {"batch_rows": 20}, {"batch_rows": 20, "workers": 2}])
def test_the_column_and_its_row_are_told(tmp_path: Path, given: dict[str, Any]) -> None:
    found = told(tmp_path, [*ROWS, "x,y", *ROWS], **given)
    assert found.endswith("; column b is text for the hook: it holds numbers here but in row 10")


def test_the_column_is_told_where_other_rows_are_why(tmp_path: Path) -> None:
    found = told(tmp_path, [*ROWS, "x,y"], batch_rows=5)
    assert found.startswith("Rows 1 to 5 of 'in.csv': The score hook raised. ")
    assert found.endswith("; column b is text for the hook: it holds numbers here, and text in other rows")


@pytest.mark.parametrize("rows", [ROWS, ["x,y"] * 9, ["x,1", "x,y"]])
def test_nothing_is_told_of_columns_of_one_kind_or_of_texts_with_few_numbers(tmp_path: Path, rows: list[str]) -> None:
    found = told(tmp_path, rows, hooks="def score(data, model, **kwargs):\n    raise ValueError\n")
    assert "is text for the hook" not in found
