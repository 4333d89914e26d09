"""The sockets a server listens on."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from custom_model_runner.errors import UsageError
from custom_model_runner.server import listening


def test_a_port_that_is_taken_is_a_usage_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"Cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            listening.listen(("127.0.0.1", port))
        assert listening.listen_if_free(("127.0.0.1", port)) is None


@pytest.mark.parametrize("listen", [listening.listen, listening.listen_if_free])
def test_an_address_of_another_machine_is_a_usage_error(listen: Callable[[tuple[str, int]], object]) -> None:
    with pytest.raises(UsageError, match=r"Cannot listen on 192\.0\.2\.1:8080"):
        listen(("192.0.2.1", 8080))


def test_port_0_is_a_free_port() -> None:
    with listening.listen(("127.0.0.1", 0)) as listener:
        assert listening.place(listener, "127.0.0.1") == f"127.0.0.1:{listener.getsockname()[1]}"


def test_answers_to_those_who_connect_before_anybody_serves_are_sent_at_once() -> None:
    with (
        listening.listen(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_address_of_ipv6_is_shown_in_brackets() -> None:
    assert listening.shown(("::1", 80)) == "[::1]:80"
