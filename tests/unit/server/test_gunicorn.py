"""What forked workers share, and the socket they listen on."""

from __future__ import annotations

import os
import socket

import pytest
from flask import Flask
from gunicorn.errors import HaltServer

from custom_model_runner.errors import UsageError
from custom_model_runner.server import gunicorn


def test_only_the_first_offer_counts() -> None:
    number = gunicorn.shared_number()
    assert (number.offer(4), number.offer(5), number.cell.value) == (True, False, 4)


def test_a_port_that_is_taken_is_a_usage_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"Cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            gunicorn.listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"Cannot listen on 192\.0\.2\.1:8080"):
        gunicorn.listen("192.0.2.1", 8080)


def test_port_0_is_a_free_port() -> None:
    with gunicorn.listen("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0


def _with_a_worker_that_cannot_load(*, is_running: bool) -> gunicorn.Arbiter:
    """Return a master whose one worker has ended with the code of a failed load but is not yet collected."""
    exit_code = gunicorn.shared_number()
    launch = gunicorn.Launch(
        make_app=lambda: Flask("x"),
        end=lambda seconds: None,
        greeting="",
        show_stacktrace=False,
        has_greeted=gunicorn.shared_number(),
        exit_code=exit_code,
    )
    master = gunicorn.Arbiter(gunicorn._Application(launch, {}))
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {gunicorn.Arbiter.APP_LOAD_ERROR}"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    vars(master).update(WORKERS={pid: "worker"}, LISTENERS=["open"] if is_running else [])
    return master


def test_a_worker_that_cannot_load_halts_a_server_that_runs() -> None:
    with pytest.raises(HaltServer):
        _with_a_worker_that_cannot_load(is_running=True).reap_workers()


def test_a_second_worker_that_cannot_load_does_not_disturb_the_halt() -> None:
    master = _with_a_worker_that_cannot_load(is_running=False)
    master.reap_workers()
    assert master.WORKERS == {}
