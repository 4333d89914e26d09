"""Fetching, from a storage that is a few lines long."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from custom_model_runner import plugins
from custom_model_runner.credentials import S3Secret
from custom_model_runner.delivery.delivered import Delivered
from custom_model_runner.delivery.fetching import LANES, Bucket, Stat, StorageError, fetch
from custom_model_runner.delivery.orders import File, Repository
from custom_model_runner.errors import LoadError

REPOSITORY = Repository("R", "models", "s3", S3Secret())
Copy = Callable[[str, Path], Awaitable[None]]
Use = Callable[[Copy], list[str]]


async def write(key: str, path: Path) -> None:
    path.write_text(key)


async def stat(key: str) -> Stat:
    return Stat(len(key), 1e9)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Put a storage in place, and return what was opened and closed."""

    def put(copy: Copy) -> list[str]:
        log: list[str] = []

        @asynccontextmanager
        async def open_bucket(repository: Repository) -> AsyncIterator[Bucket]:
            log.append(f"open {repository.name}")
            yield Bucket(stat, copy)
            log.append(f"close {repository.name}")

        monkeypatch.setitem(sys.modules, "a_storage", SimpleNamespace(open_bucket=open_bucket))
        monkeypatch.setattr(plugins, "STORAGES", {"s3": plugins.Plugin("a_storage")})
        return log

    return put


def test_each_repository_is_opened_once_and_closed(use: Use, tmp_path: Path) -> None:
    log = use(write)
    files = [File(f"key {n}", tmp_path / str(n), replace(REPOSITORY, name=f"R{n % 2}")) for n in range(6)]
    fetch(files)
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == [file.key for file in files]
    assert log == ["open R0", "open R1", "close R1", "close R0"]


def test_so_many_files_are_on_their_way_at_once_and_no_more(use: Use, tmp_path: Path) -> None:
    running, most = 0, 0

    async def copy(key: str, path: Path) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        await write(key, path)
        running -= 1

    use(copy)
    fetch([File("key", tmp_path / str(n), REPOSITORY) for n in range(3 * LANES)])
    assert most == LANES


def test_the_first_failure_stops_the_others_and_leaves_nothing(use: Use, tmp_path: Path) -> None:
    async def copy(key: str, path: Path) -> None:
        path.write_text("half")
        if key == "bad":
            raise StorageError("it broke")
        await asyncio.sleep(600)

    use(copy)
    with pytest.raises(LoadError) as caught:
        fetch([File(key, tmp_path / key, REPOSITORY) for key in ("slow", "bad")])
    assert str(caught.value) == (
        f"{tmp_path}/bad cannot be fetched as 'bad' from the repository 'R' (bucket 'models'): it broke"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_size_than_announced_is_not_taken(use: Use, tmp_path: Path) -> None:
    async def copy(key: str, path: Path) -> None:
        path.write_text(key + "!")

    use(copy)
    with pytest.raises(LoadError, match=r"4 bytes arrived, expected 3; was it replaced meanwhile\?"):
        fetch([File("key", tmp_path / "x", REPOSITORY)])
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_a_folder_is_named(use: Use, tmp_path: Path) -> None:
    use(write)
    (tmp_path / "taken").write_text("")
    with pytest.raises(LoadError, match=r"taken/x cannot be written: (Not a directory|File exists)"):
        fetch([File("key", tmp_path / "taken" / "x", REPOSITORY)])


def test_a_folder_in_the_way_of_a_file_is_named(use: Use, tmp_path: Path) -> None:
    use(write)
    (tmp_path / "taken").mkdir()
    with pytest.raises(LoadError, match="taken cannot be written: Is a directory"):
        fetch([File("key", tmp_path / "taken", REPOSITORY)])
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_folder_that_cannot_be_written_to_is_named(use: Use) -> None:
    use(write)
    # Nobody can, not even root.
    with pytest.raises(LoadError, match="/proc/self/x cannot be written: "):
        fetch([File("key", Path("/proc/self/x"), REPOSITORY)])


def test_a_file_that_is_there_is_not_fetched(use: Use, tmp_path: Path) -> None:
    use(write)
    fetch([File("key", tmp_path / "x", REPOSITORY)])
    before = (tmp_path / "x").stat()
    fetch([File("yek", tmp_path / "x", REPOSITORY)])
    assert ((tmp_path / "x").stat().st_ino, before.st_mtime) == (before.st_ino, 1e9)


def test_without_files_nothing_is_imported_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "ENTRIES", {})
    Delivered(variables={}).fetch()
