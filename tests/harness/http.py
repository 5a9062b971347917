"""HTTP for tests: requests in plain HTTP, and clients that several threads use at the same time."""

import ssl
from typing import Any

import httpx

KEPT = 60.0
"""Seconds a connection may be idle. Less than the servers have patience, 75 and 90: a request may meet such an end. But
long, since httpcore may close what has been idle for so long when another thread has just been given it."""
SHARED = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEPT)

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody. Without it each client, and each request without one, reads the certificates of the whole world: 36 ms
of CPU, at every look at whether a server answers."""


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """`httpx.request` in plain HTTP, past any proxy of the environment."""
    return httpx.request(method, url, verify=PLAIN, trust_env=False, **options)


def get(url: str, **options: Any) -> httpx.Response:
    return request("GET", url, **options)


def put(url: str, **options: Any) -> httpx.Response:
    return request("PUT", url, **options)
