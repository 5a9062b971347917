"""The proxy passes everything on until it is told not to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from harness.proxy import Proxy

BOUND = 10.0


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that says what it hears."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(1024):
                connection.sendall(data)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def connect(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=BOUND)


def test_it_passes_both_ways(echo: int) -> None:
    with Proxy(echo) as proxy, connect(proxy) as one, connect(proxy) as two:
        for client in (one, two, one):
            client.sendall(b"hello")
            assert client.recv(1024) == b"hello"


def test_hanging_answers_nobody_and_closes_nothing(echo: int) -> None:
    with Proxy(echo) as proxy, connect(proxy) as old:
        old.sendall(b"hello")
        assert old.recv(1024) == b"hello"
        proxy.hang()
        with connect(proxy) as new:
            for client in (old, new):
                client.sendall(b"hello")
                client.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    client.recv(1024)


def test_what_hung_arrives_when_it_flows_again(echo: int) -> None:
    with Proxy(echo) as proxy, connect(proxy) as old:
        proxy.hang()
        old.sendall(b"late")
        with connect(proxy) as new:
            new.sendall(b"new")
            proxy.flow()
            assert (old.recv(1024), new.recv(1024)) == (b"late", b"new")


def test_refusing_closes_what_is_open_and_lets_nobody_in(echo: int) -> None:
    with Proxy(echo) as proxy, connect(proxy) as old:
        old.sendall(b"hello")
        assert old.recv(1024) == b"hello"
        proxy.refuse()
        with contextlib.suppress(ConnectionResetError):
            assert old.recv(1024) == b""
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
