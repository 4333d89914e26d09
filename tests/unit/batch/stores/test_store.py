"""The storage of an address, and what is said where it is not there."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from custom_model_runner import plugins
from custom_model_runner.addresses import Address
from custom_model_runner.batch import sinks, sources
from custom_model_runner.batch.stores import store
from custom_model_runner.errors import UsageError

PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "abfss": "adlfs", "az": "adlfs"}


@dataclass(frozen=True)
class Absent:
    """Finds that a package is not installed, wherever it is looked for."""

    package: str

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {self.package!r}", name=self.package)


def test_a_local_file_is_in_no_storage() -> None:
    assert store.of("rows.csv") is None


@pytest.mark.parametrize(("scheme", "package"), [*PACKAGES.items(), ("https", "aiohttp"), ("http", "aiohttp")])
def test_a_storage_without_its_package_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, scheme: str, package: str
) -> None:
    ours = ("custom_model_runner.delivery.s3", plugins.STORES[scheme].module)
    for name in [name for name in sys.modules if name.partition(".")[0] == package or name in ours]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(package), *sys.meta_path])
    with pytest.raises(UsageError) as caught:
        sources.files(f"{scheme}://b/rows.csv")
    assert str(caught.value) == (
        f"'{scheme}://b/rows.csv': The package {package!r} is needed and not installed; "
        'install it with: pip install "custom-model-runner[cloud]"'
    )


def test_every_scheme_was_tried() -> None:
    assert set(plugins.STORES) == {*PACKAGES, "https", "http"}


def test_an_unknown_scheme_lists_the_known() -> None:
    with pytest.raises(
        UsageError, match=r"^'ftp://h/rows.csv' is in no storage that is known, expected one of: s3://, "
    ):
        sources.files("ftp://h/rows.csv")


@pytest.mark.parametrize("url", ["s3://b", "s3://b/folder/", "https://host/"])
def test_an_output_must_be_the_address_of_a_file(url: str) -> None:
    with pytest.raises(UsageError, match="is no address of a file, expected one that ends with its name"):
        sinks.settle(Address(url), "-")
