"""A TCP proxy on loopback that can refuse connections or let them hang, to cut one process off from a server."""

import socket
import threading
from contextlib import suppress

from harness.ended import Ended

CHUNK = 65536


class Proxy(Ended):
    """Passes everything on to `port` on loopback until it is told otherwise."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._flowing = threading.Event()
        self._flowing.set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._refusing = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def hang(self) -> None:
        """Connections stay, new ones are accepted, and nothing passes any more."""
        self._flowing.clear()

    def flow(self) -> None:
        """After `hang`: everything passes again."""
        self._flowing.set()

    def refuse(self) -> None:
        """Connections are closed and new ones refused."""
        with self._lock:
            self._refusing = True
            sockets = [self._listener, *self._open]
            self._open.clear()
        for each in sockets:
            _close(each)
        self._flowing.set()

    _end = refuse

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # refusing
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._flowing.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            _close(client)
            return
        with self._lock:
            refusing = self._refusing
            self._open |= {client, server}
        if refusing:
            self.refuse()
        threading.Thread(target=self._pump, args=(server, client), daemon=True).start()
        self._pump(client, server)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                self._flowing.wait()
                sink.sendall(data)
        with self._lock:
            self._open -= {source, sink}
        _close(source)
        _close(sink)


def _close(one: socket.socket) -> None:
    with suppress(OSError):  # not connected, or closed already
        one.shutdown(socket.SHUT_RDWR)
    one.close()
