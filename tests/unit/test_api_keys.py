"""Keys as a file holds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from custom_model_runner import api_keys


def test_each_line_is_a_key_but_comments_and_empty_ones(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"\xef\xbb\xbfone \r\n\n# for the batch job\n  two\n")
    assert api_keys.read(file) == ("one", "two")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "found no key"),
        (b"# none\n", "found no key"),
        (b"good\nmy secret\n", "key 2 has blanks"),
        ("schl\u00fcssel".encode(), "key 1 has blanks or characters that are not ASCII"),
        (b"\xff\xfe", "is not text"),
        (b"k" * (api_keys.MOST_BYTES + 1), "larger than"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_without_what_it_holds(tmp_path: Path, data: bytes, complaint: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=complaint) as caught:
        api_keys.read(file)
    assert "secret" not in str(caught.value)
    assert "kkk" not in str(caught.value)


def test_only_a_file_will_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no file"):
        api_keys.file_with_keys(str(tmp_path))
    with pytest.raises(ValueError, match="is not there"):
        api_keys.file_with_keys(str(tmp_path / "none"))
