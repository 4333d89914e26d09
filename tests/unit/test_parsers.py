"""Option values: text in, value out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from custom_model_runner import parsers

from .folders import plant


def test_a_directory_is_its_real_path(tmp_path: Path) -> None:
    plant(tmp_path / "real", {})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert parsers.existing_directory(str(tmp_path / "link")) == (tmp_path / "real").resolve()


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not there, expected an existing directory"):
        parsers.existing_directory(str(tmp_path / "gone"))


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a directory, expected an existing directory"):
        parsers.existing_directory(str(plant(tmp_path, {"file": ""}) / "file"))


def test_a_new_directory_is_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parsers.new_directory("a/b") == tmp_path / "a/b"


def test_a_directory_that_is_there_is_not_new(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exists already"):
        parsers.new_directory(str(tmp_path))


def test_an_input_file_is_its_real_path(tmp_path: Path) -> None:
    plant(tmp_path, {"real": ""})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert parsers.input_file(str(tmp_path / "link")) == str((tmp_path / "real").resolve())


def test_a_dash_is_standard_input() -> None:
    assert parsers.input_file("-") == "-"


@pytest.mark.parametrize(("name", "found"), [("gone", "not there"), (".", "a directory")])
def test_an_input_must_be_a_file(tmp_path: Path, name: str, found: str) -> None:
    with pytest.raises(ValueError, match=f"is {found}, expected an existing file"):
        parsers.input_file(str(tmp_path / name))


def test_a_pipe_keeps_the_only_name_it_has() -> None:
    reader, writer = os.pipe()
    assert parsers.input_file(f"/dev/fd/{reader}") == f"/dev/fd/{reader}"
    os.close(reader)
    os.close(writer)


def test_an_output_file_need_not_be_there() -> None:
    assert parsers.output_file("gone/out.csv") == Path("gone/out.csv")


def test_a_dash_is_standard_output() -> None:
    assert parsers.output_file("-") is None


def test_labels_keep_their_order() -> None:
    assert parsers.labels(["b", "a", "c"]) == ("b", "a", "c")


@pytest.mark.parametrize("texts", [[], ["one"]])
def test_fewer_than_two_labels_are_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match=f"found {len(texts)} class label"):
        parsers.labels(texts)


def test_a_repeated_label_is_named() -> None:
    with pytest.raises(ValueError, match=r"\['a'\] are given more than once"):
        parsers.labels(["a", "b", "a"])


@pytest.mark.parametrize("text", ["a\nb c\n", "a\r\nb c\r\n", "a\nb c", "\na\n\nb c\n\n"])
def test_a_labels_file_holds_one_label_a_line_and_empty_lines_do_not_count(tmp_path: Path, text: str) -> None:
    assert parsers.labels_file(str(plant(tmp_path, {"labels": text.encode()}) / "labels")) == ("a", "b c")


def test_a_missing_labels_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        parsers.labels_file(str(tmp_path / "gone"))


def test_a_labels_file_must_be_utf_8(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        parsers.labels_file(str(plant(tmp_path, {"labels": b"caf\xe9\nbar\n"}) / "labels"))


def test_a_labels_file_with_one_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        parsers.labels_file(str(plant(tmp_path, {"labels": "a\n"}) / "labels"))


@pytest.mark.parametrize("text", ["a\nb c", " a \r\nb c\t\r\n", "\ufeffa\nb c\n\n \n"])
def test_column_names_are_stripped_lines(tmp_path: Path, text: str) -> None:
    assert parsers.column_names(text.encode()) == ("a", "b c")
    assert parsers.column_names_file(str(plant(tmp_path, {"names": text.encode()}) / "names")) == ("a", "b c")


def test_only_line_ends_part_column_names() -> None:
    assert parsers.column_names("a\x0bb\u2028c\nd".encode()) == ("a\x0bb\u2028c", "d")


@pytest.mark.parametrize(("text", "message"), [("", "line 1 is empty"), ("a\n \nb", "line 2 is empty")])
def test_a_column_must_have_a_name(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parsers.column_names(text.encode())


def test_column_names_must_be_utf_8() -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        parsers.column_names(b"caf\xe9")


def test_a_missing_file_of_column_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        parsers.column_names_file(str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:1", ("localhost", 1)),
        ("0.0.0.0", ("0.0.0.0", 8080)),
        (" host:65535 ", ("host", 65535)),
        ("[::1]:80", ("::1", 80)),
        ("host:0", ("host", 0)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, expected: tuple[str, int]) -> None:
    assert parsers.address(text) == expected


@pytest.mark.parametrize("text", ["", ":8080", "host:", "host:http", "host:65536", "host:-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        parsers.address(text)


@pytest.mark.parametrize(("text", "expected"), [("1", 1), (" 12 ", 12)])
def test_a_positive_number_is_read(text: str, expected: int) -> None:
    assert parsers.positive(text) == expected


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "many"])
def test_what_is_not_a_positive_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a whole number above 0"):
        parsers.positive(text)


def test_more_workers_than_a_machine_bears_are_refused() -> None:
    assert parsers.workers(str(parsers.MOST_WORKERS)) == parsers.MOST_WORKERS
    with pytest.raises(ValueError, match="is too many, expected at most"):
        parsers.workers(str(parsers.MOST_WORKERS + 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("/", ""), ("a", "/a"), ("/a", "/a"), ("/a/", "/a"), ("a/b/", "/a/b"), ("//a//b//", "/a/b")],
)
def test_a_prefix_has_one_leading_slash_and_none_at_the_end(text: str, expected: str) -> None:
    assert parsers.prefix(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", {"a": "1"}),
        (" a = 1 ;b=x=y; ", {"a": "1", "b": "x=y"}),
        ("", {}),
    ],
)
def test_pairs_are_read(text: str, expected: dict[str, str]) -> None:
    assert parsers.pairs(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "setting 1 is not complete, expected name=value;name=value"),
        ("a=", "setting 1 is not complete, expected name=value;name=value"),
        ("=1", "setting 1 is not complete, expected name=value;name=value"),
        ("a=hush;;b", "setting 2 is not complete, expected name=value;name=value"),
        ("a=hush;a=2", "the setting 'a' is given twice, expected name=value;name=value, each name once"),
    ],
)
def test_what_is_no_list_of_pairs_is_refused_without_its_values(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        parsers.pairs(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["https://app.example.com", " https://app.example.com/ ", "https://app.example.com//"])
def test_a_web_address_has_no_slash_at_its_end(text: str) -> None:
    assert parsers.web_address(text) == "https://app.example.com"


@pytest.mark.parametrize("text", ["", "app.example.com", "ftp://app.example.com", "https://"])
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no web address"):
        parsers.web_address(text)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ({"cpu.max": "nonsense"}, 4),
        ({}, 4),
    ],
)
def test_the_processors_are_those_of_the_affinity_and_of_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert parsers.processors(tmp_path) == expected


def test_what_is_no_number_of_workers_is_refused_with_the_word_for_all_processors() -> None:
    with pytest.raises(ValueError, match="'0' is not a whole number above 0, nor `auto`"):
        parsers.workers("0")


def test_auto_is_a_number_of_workers_that_is_there() -> None:
    assert 1 <= parsers.workers("Auto") <= parsers.MOST_WORKERS


@pytest.mark.parametrize("text", ["0", "3601", "1.5", "ten", ""])
def test_a_number_out_of_range_names_the_range(text: str) -> None:
    with pytest.raises(ValueError, match="whole number"):
        parsers.between(1, 3600)(text)


def test_a_number_in_range_is_read() -> None:
    assert [parsers.between(1, 3600)(text) for text in ("1", " 3600 ")] == [1, 3600]


def test_a_time_in_range_is_read_in_seconds() -> None:
    assert [parsers.seconds(least=0, most=3600)(text) for text in ("0", " 0.5 ", "3600")] == [0.0, 0.5, 3600.0]


@pytest.mark.parametrize("text", ["0.5", "3600.1", "-1", "nan", "inf", "soon"])
def test_a_time_out_of_range_or_none_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parsers.seconds(least=1, most=3600)(text)
