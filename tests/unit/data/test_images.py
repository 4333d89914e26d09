"""Images as base64 text."""

from __future__ import annotations

import base64

import pandas as pd
import pytest

from custom_model_runner.data import images

HEADS = [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*", b"RIFF"]


@pytest.mark.parametrize("head", HEADS)
def test_text_of_an_image_is_told_by_its_first_bytes(head: bytes) -> None:
    text = base64.b64encode(head + bytes(50)).decode()
    assert images.is_images(pd.Series([text, None, text]))


@pytest.mark.parametrize("values", [["red"], [base64.b64encode(b"plain text").decode()], ["\u00e9"], [3], [None], []])
def test_anything_else_is_none(values: list[object]) -> None:
    assert not images.is_images(pd.Series(values, dtype=object))


def test_one_value_that_is_no_image_is_enough() -> None:
    text = base64.b64encode(HEADS[0]).decode()
    assert not images.is_images(pd.Series([text, "no image"]))
