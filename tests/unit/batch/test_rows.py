"""Text that comes in pieces of any size is cut into the same rows."""

from __future__ import annotations

import io

import pytest

from custom_model_runner.batch import rows

TEXTS = {
    b'x"y,1\n"abc\n",2\nz,3\n': [b'x"y,1\n', b'"abc\n",2\n', b"z,3\n"],
    b'"a""\n""b",x"\n"c\n\nd"\n1': [b'"a""\n""b",x"\n', b'"c\n\nd"\n', b"1"],
}


def cut(text: bytes) -> list[bytes]:
    return [found.data for found in rows.cut(io.BytesIO(text), rows=1, has_quotes=True)]


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_a_piece_may_end_anywhere(monkeypatch: pytest.MonkeyPatch, text: bytes, expected: list[bytes]) -> None:
    for length in range(1, len(text) + 1):
        monkeypatch.setattr(rows, "PIECE", length)
        assert cut(text) == expected, length


def test_a_text_that_was_cut_off_ends_with_its_last_whole_row() -> None:
    found = rows.cut(io.BytesIO(b"1\n2\n3"), rows=5, has_quotes=True, has_end=False)
    assert [one.data for one in found] == [b"1\n2\n"]
