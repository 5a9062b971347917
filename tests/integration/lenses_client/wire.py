"""Listeners that say exactly what a test wants said, with TLS where it wants that."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from harness.listener import Handler, listening

EMPTY_LIST = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"data":[]}'


@contextlib.asynccontextmanager
async def listener(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """The URL of a server that gives every connection to `handler` and closes it afterwards."""
    async with listening(handler, context) as port:
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request with its body, as it came."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head


async def say_empty_list(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await read_request(reader)
        writer.write(EMPTY_LIST)
        await writer.drain()


def saying(answer: bytes) -> Handler:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    return say


def saying_of(status: str, content_type: str, body: str) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close"
    return f"{head}\r\n\r\n{body}".encode()


def in_front_of(url: str, answers: Callable[[bytes], bytes | None]) -> Handler:
    """Passes each request on, but for those that `answers` has something for, by their path."""
    host, port = url.removeprefix("http://").split(":")

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        answer = answers(request.split(b" ", 2)[1])
        if answer is None:
            back, forth = await asyncio.open_connection(host, int(port))
            forth.write(request.replace(b"\r\nConnection: keep-alive", b"\r\nConnection: close"))
            answer = await back.read()
            forth.close()
        writer.write(answer)
        await writer.drain()

    return pass_on


_CA_CONFIG = """
[ca]
default_ca = d
[d]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = p
[p]
commonName = supplied
[extensions]
basicConstraints = critical,CA:FALSE
subjectAltName = IP:127.0.0.1
authorityKeyIdentifier = keyid
"""


@dataclass(frozen=True)
class Authority:
    """A CA of the test's own, and a certificate for 127.0.0.1 that it signed."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        made = cls(folder / "ca.crt", folder / "server.crt", folder / "server.key")
        _openssl(folder, "/CN=test CA", "ca.key", "ca.crt", "keyUsage=critical,keyCertSign")
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE")
        _openssl(folder, "/CN=lenses", "server.key", "server.crt", "subjectAltName=IP:127.0.0.1", *signed)
        return made

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def expired(self) -> ssl.SSLContext:
        """A server whose certificate, of the same CA, was valid in January 2020."""
        folder = self.ca.parent
        (folder / "index").write_text("")
        (folder / "serial").write_text("01")
        (folder / "ca.cnf").write_text(_CA_CONFIG)
        _run(folder, "req", "-new", "-key", self.key.name, "-subj", "/CN=lenses", "-out", "old.csr")
        dates = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
        signing = ("-config", "ca.cnf", "-batch", "-notext", "-cert", "ca.crt", "-keyfile", "ca.key")
        _run(folder, "ca", *signing, *dates, "-extensions", "extensions", "-in", "old.csr", "-out", "old.crt")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "old.crt", self.key)
        return context


def self_signed(folder: Path) -> ssl.SSLContext:
    _openssl(folder, "/CN=lenses", "self.key", "self.crt", "subjectAltName=IP:127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "self.crt", folder / "self.key")
    return context


def _openssl(folder: Path, subject: str, key: str, certificate: str, extension: str, *signed: str) -> None:
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key)
    _run(folder, "req", "-x509", *made, "-subj", subject, "-out", certificate, "-addext", extension, *signed)


def _run(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
