"""What forked workers share, and the socket they listen on."""

from __future__ import annotations

import socket

import pytest

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
