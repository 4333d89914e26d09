"""What is written in the repository: first lines, promises and addresses."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

from .tree import REPOSITORY, expect_none

# Spelled in two parts, so that this file passes its own guard.
PROMISE = re.compile(r"\bTO" + r"DO\b(?!\s*\(?#\d+)")
LOCK_FILES = frozenset({"conda-lock.yml", "package-lock.json", "pnpm-lock.yaml", "pylock.toml"})
INDEX = re.compile(
    r"--(extra-)?index-url|--find-links|\bindex[-_]url\s*=|files\.pythonhosted\.org|://\S+/simple\b|://\S+\.whl\b"
)


def files_of(repository: Path) -> list[Path]:
    """Return every file that is, or would be, part of the repository."""
    # The owner of a checkout in a container is often another user; that is no concern of this list.
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = sorted({repository / name for name in listed.stdout.split("\0") if name})
    return [path for path in paths if path.is_file()]


def docstring_complaints(root: Path, paths: Iterable[Path]) -> list[str]:
    """Name every module that does not open with one line that says what it is."""
    complaints = []
    for path in paths:
        text = path.read_text(encoding="utf-8") if path.suffix == ".py" else ""
        if not text.strip():
            continue
        first, _, rest = (ast.get_docstring(ast.parse(text)) or "").partition("\n")
        if not first.endswith((".", "?", "!")) or rest.partition("\n")[0].strip():
            complaints.append(f"{path.relative_to(root)}: opens without a docstring of one line")
    return complaints


def text_complaints(root: Path, paths: Iterable[Path]) -> list[str]:
    """Name every lock file, promise without an issue and address of a package index."""
    complaints = []
    for path in paths:
        name = PurePosixPath(path.relative_to(root))
        if path.suffix == ".lock" or path.name in LOCK_FILES:
            complaints.append(f"{name}: is a lock file")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if PROMISE.search(line):
                complaints.append(f"{name}:{number}: promises work without the number of an issue")
            if path != Path(__file__).resolve() and INDEX.search(line):
                complaints.append(f"{name}:{number}: records the address of a package index")
    return complaints


def test_every_real_module_opens_with_one_line() -> None:
    expect_none(docstring_complaints(REPOSITORY, files_of(REPOSITORY)))


def test_the_real_repository_makes_no_empty_promise_and_records_no_address() -> None:
    expect_none(text_complaints(REPOSITORY, files_of(REPOSITORY)))


def test_the_list_of_files_holds_what_git_knows_and_would_add_and_not_what_it_ignores(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for name in ("known.txt", "gone.txt", "new.txt", "ignored.pkl"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / ".gitignore").write_text("*.pkl\n", encoding="utf-8")
    subprocess.run(["git", "add", "known.txt", "gone.txt"], cwd=tmp_path, check=True)
    (tmp_path / "gone.txt").unlink()
    assert [path.name for path in files_of(tmp_path)] == [".gitignore", "known.txt", "new.txt"]


@pytest.mark.parametrize(
    "text",
    ["import json", '"""No stop"""', '"""Two\nlines."""', "# Comment.\nx = 1", '"""\n"""'],
)
def test_a_module_without_a_first_line_is_a_complaint(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.py"
    path.write_text(text, encoding="utf-8")
    assert docstring_complaints(tmp_path, [path]) == ["model.py: opens without a docstring of one line"]


@pytest.mark.parametrize("text", ["", '"""One line."""\nimport json', '"""One line.\n\nThen a surprise.\n"""'])
def test_one_line_then_anything_is_fine(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.py"
    path.write_text(text, encoding="utf-8")
    assert docstring_complaints(tmp_path, [path]) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.py", "\n# TO" + "DO: later", "a.py:2: promises work without the number of an issue"),
        ("a.md", "TO" + "DO(someone)", "a.md:1: promises work without the number of an issue"),
        ("uv.lock", "", "uv.lock: is a lock file"),
        ("package-lock.json", "{}", "package-lock.json: is a lock file"),
        ("r.txt", "--index-url https://example.org", "r.txt:1: records the address of a package index"),
        ("r.txt", "x @ https://example.org/x-1.whl", "r.txt:1: records the address of a package index"),
        ("p.toml", 'url = "http://example.org/simple"', "p.toml:1: records the address of a package index"),
    ],
)
def test_a_text_that_must_not_be_there_is_a_complaint(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert text_complaints(tmp_path, [path]) == [complaint]


@pytest.mark.parametrize("text", ["TO" + "DO #12: later", "TO" + "DO (#12)", "a simple text", "todo list"])
def test_a_promise_with_its_issue_and_plain_words_are_fine(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.md"
    path.write_text(text, encoding="utf-8")
    assert text_complaints(tmp_path, [path]) == []
