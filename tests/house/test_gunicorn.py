"""What the server overrides and reads of gunicorn without its promise is there, in all versions allowed."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest
from gunicorn import arbiter, glogging
from gunicorn.http import parser, unreader, wsgi
from gunicorn.workers import base, gthread
from packaging.requirements import Requirement

from .tree import PACKAGE, REPOSITORY

WORKER = """
_cap_keepalive accept enqueue_req finish_request handle handle_error handle_exit handle_quit handle_request init_process
init_signals load_wsgi murder_pending run set_accept_enabled
"""
CONNECTION = "_accepting data_ready defer initialized method_queue nr_conns parser poller worker_connections"
ARBITER = """
APP_LOAD_ERROR LISTENERS SIG_QUEUE WORKERS WORKER_BOOT_ERROR handle_hup handle_ttin handle_ttou handle_usr2 handle_winch
kill_workers maybe_promote_master num_workers reap_workers spawn_worker spawn_workers stop
"""
USED: tuple[tuple[str, tuple[ModuleType, ...]], ...] = (
    (WORKER, (base, gthread)),
    (CONNECTION, (gthread,)),
    (ARBITER, (arbiter,)),
    ("error_log setup", (glogging,)),
    ("unreader", (parser,)),
    ("buf chunk sock", (unreader,)),
    ("force_close", (wsgi,)),
)
SOURCES = {name: modules for names, modules in USED for name in names.split()}


def is_there(name: str, *places: ModuleType) -> bool:
    """Say whether the classes of modules have a method or an attribute of that name."""
    text = "\n".join(map(inspect.getsource, places))
    return re.search(rf"\bdef {name}\(|\bself\.{name} = |^    {name} = ", text, re.MULTILINE) is not None


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_used_of_gunicorn_is_there(name: str) -> None:
    assert is_there(name, *SOURCES[name])


def test_a_name_that_is_gone_would_be_noticed() -> None:
    assert not is_there("cap_keepalive", gthread)


def test_each_name_is_used() -> None:
    text = "\n".join(path.read_text() for path in sorted((PACKAGE / "server").glob("*.py")))
    assert [name for name in SOURCES if not re.search(rf"\b{name}\b", text)] == []


def test_no_version_is_let_in_whose_inside_may_be_another() -> None:
    needed = Requirement(
        re.findall(r'^ +"(gunicorn[^"]*)",$', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)[0]
    )
    allowed = [version for version in ("26.9", "27.0", "27.0.1", "27.9", "28.0") if version in needed.specifier]
    assert allowed == ["27.0.1", "27.9"]
