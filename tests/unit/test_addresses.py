"""Addresses as text: what of them is a name, and what is shown."""

from __future__ import annotations

import pytest

from custom_model_runner import addresses
from custom_model_runner.addresses import Address

SIGNED = "https://user:word@host:8080/a/rows.csv.gz?name=x.json&key=k"


@pytest.mark.parametrize(
    ("text", "scheme"),
    [("s3://b/k", "s3"), ("GS://b/k", "gs"), ("rows.csv", None), ("/a/b://c", None), ("-", None), ("c:/a", None)],
)
def test_an_address_has_a_scheme_and_a_local_name_has_none(text: str, scheme: str | None) -> None:
    assert addresses.scheme_of(text) == scheme


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/rows.csv", "rows.csv"),
        ("s3://b/a/what?.csv", "what?.csv"),
        (SIGNED, "rows.csv.gz"),
        ("s3://b/folder/", "folder"),
        ("s3://b", ""),
        ("-", "-"),
    ],
)
def test_the_name_of_a_file_is_the_last_part_of_its_path(text: str, name: str) -> None:
    assert addresses.file_name(text) == name


@pytest.mark.parametrize(
    ("text", "shown"),
    [(SIGNED, "https://host:8080/a/rows.csv.gz"), ("s3://b/a?c", "s3://b/a?c"), ("rows.csv", "rows.csv")],
)
def test_what_is_shown_holds_neither_password_nor_key(text: str, shown: str) -> None:
    assert addresses.shown(text) == shown


def test_the_text_of_an_address_to_write_to_holds_neither() -> None:
    assert str(Address(SIGNED)) == "https://host:8080/a/rows.csv.gz"


@pytest.mark.parametrize(
    ("url", "beside"),
    [("s3://b/a/a", "s3://b/a/x"), (SIGNED, SIGNED.replace("rows.csv.gz", "x"))],
)
def test_a_file_beside_it_has_all_but_the_name(url: str, beside: str) -> None:
    assert Address(url).with_name("x") == Address(beside)


@pytest.mark.parametrize(
    ("url", "is_of_file"),
    [("s3://b/k", True), (SIGNED, True), ("s3://b", False), ("s3://b/", False), ("s3://b/k/", False)],
)
def test_a_bucket_or_a_folder_is_no_file(url: str, is_of_file: bool) -> None:
    assert Address(url).is_of_file == is_of_file
