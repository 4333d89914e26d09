"""A folder's `custom_flask.py`: found, imported, called, and every way in which that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flask import Flask

from custom_model_runner import alias
from custom_model_runner.errors import LoadError
from custom_model_runner.server import extension

from ..folders import plant

GOOD = """
    import beside

    def init_app(app):
        app.config["SEEN"] = beside.WORD
"""


def installed(folder: Path, files: dict[str, str]) -> Flask:
    """Return an application that the folder's extension has worked on."""
    app = Flask("app", static_folder=None)
    extension.install(app, plant(folder, files))()
    return app


@pytest.mark.parametrize("place", ["", "deep/er/"])
def test_it_is_called_with_the_application_and_finds_the_modules_beside_it(tmp_path: Path, place: str) -> None:
    files = {f"{place}custom_flask.py": GOOD, f"{place}beside.py": f"WORD = {place!r}"}
    assert installed(tmp_path, files).config["SEEN"] == place
    assert extension.MODULE not in sys.modules
    del sys.modules["beside"]


def test_a_folder_without_one_changes_nothing(tmp_path: Path) -> None:
    assert installed(tmp_path, {"custom.py": ""}).config == Flask("app").config


def test_a_path_that_others_have_entered_is_left_to_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, {"custom_flask.py": "def init_app(app): pass"})
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(tmp_path))
        extension.install(Flask("app"), tmp_path)()
        assert str(tmp_path) in sys.path


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_library", "Failed loading the Flask extension from [{path}] : ModuleNotFoundError("),
        ("def init_app(:", "Failed loading the Flask extension from [{path}] : SyntaxError("),
        ("1 / 0", "Failed loading the Flask extension from [{path}] : ZeroDivisionError("),
        ("", "The Flask extension [{path}] must define a function init_app(app), but has none"),
        ("init_app = 'x'", "The Flask extension [{path}] must define a function init_app(app), but has str"),
        ("def init_app(): pass", "init_app of the Flask extension [{path}] raised. Exception: TypeError("),
        ("def init_app(app): raise OSError('x')", "init_app of the Flask extension [{path}] raised. Exception: OSErr"),
        ("import sys\ndef init_app(app): sys.exit(3)", "raised. Exception: SystemExit(3)"),
        (
            "from datarobot_drum import CustomHTTPError\ndef init_app(app): raise CustomHTTPError('no licence', 402)",
            "The Flask extension [{path}] refuses to load: no licence",
        ),
    ],
)
def test_whatever_goes_wrong_is_a_load_error_and_nothing_stays_importable(
    tmp_path: Path, source: str, words: str
) -> None:
    end = alias.install()
    with pytest.raises(LoadError) as caught:
        installed(tmp_path, {"custom_flask.py": source})
    end()
    assert words.format(path=tmp_path / "custom_flask.py") in str(caught.value)
    assert extension.MODULE not in sys.modules


def test_several_are_refused_by_name(tmp_path: Path) -> None:
    words = r"Found too many Flask extensions, expected one custom_flask\.py: a/custom_flask\.py, custom_flask\.py"
    with pytest.raises(LoadError, match=words):
        installed(tmp_path, {"custom_flask.py": "", "a/custom_flask.py": ""})


def test_those_of_hidden_folders_and_environments_are_not_its_affair(tmp_path: Path) -> None:
    files = {".old/custom_flask.py": "1 / 0", "lib/site-packages/custom_flask.py": "1 / 0"}
    assert "SEEN" not in installed(tmp_path, files).config


def test_who_let_an_error_out_is_told_by_the_frames(tmp_path: Path) -> None:
    libraries = tmp_path / "lib" / "site-packages"
    for place, is_theirs in ((tmp_path / "custom_flask.py", True), (libraries / "x.py", False), (Path("/y.py"), False)):
        with pytest.raises(ZeroDivisionError) as caught:
            exec(compile("1 / 0", place, "exec"))
        assert extension.has_raised(caught.value, tmp_path) is is_theirs
