"""What is asked in a chat, and the line of JSON that answers it."""

from __future__ import annotations

import json
import math
import uuid
from datetime import date
from typing import Any

import numpy as np
import pytest

from custom_model_runner.data import chat
from custom_model_runner.errors import ContractError, MalformedRequest


@pytest.mark.parametrize("given", ["order 7", 7, 0])
def test_the_association_id_of_the_parameters_is_kept(given: str | int) -> None:
    params: dict[str, Any] = {"messages": [], "datarobot_association_id": given}
    asked = chat.asked(params, {})
    assert asked.association_id == given
    assert asked.params is params


@pytest.mark.parametrize("params", [{}, {"datarobot_association_id": None}, {"datarobot_association_id": ""}])
def test_without_an_association_id_there_is_a_new_one(params: dict[str, Any]) -> None:
    first, second = (chat.asked(params, {}).association_id for _ in range(2))
    assert uuid.UUID(str(first)).version == 4
    assert first != second


@pytest.mark.parametrize("given", [True, 1.5, [], {}])
def test_another_kind_of_association_id_is_a_malformed_request(given: Any) -> None:
    with pytest.raises(MalformedRequest, match="expected a text or a whole number"):
        chat.asked({"datarobot_association_id": given}, {})


@pytest.mark.parametrize("params", [None, [], "text", 1])
def test_parameters_that_are_no_object_are_a_malformed_request(params: Any) -> None:
    with pytest.raises(MalformedRequest, match="no JSON object"):
        chat.asked(params, {})


def test_an_answer_is_one_line_of_ascii_whatever_line_breaks_it_holds() -> None:
    body = {"text": "a\nb\r\u2028\u0085é\U0001f6a2\ud800"}
    line = chat.to_json(body)
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line) == body


def test_numbers_that_json_does_not_have_are_null() -> None:
    body = {"a": [math.nan, -math.inf, 1.5], "b": (np.float32("nan"), np.int64(3)), 3: date(2026, 1, 2)}
    assert json.loads(chat.to_json(body)) == {"a": [None, None, 1.5], "b": [None, 3], "3": "2026-01-02"}


def test_an_answer_that_holds_itself_breaks_the_contract() -> None:
    body: dict[str, Any] = {}
    body["self"] = body
    with pytest.raises(ContractError, match="cannot be written as JSON"):
        chat.to_json(body)
