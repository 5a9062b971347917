"""HTTP clients that several threads use at the same time."""

import httpx

KEPT = 60.0
"""Seconds a connection may be idle. Less than the servers have patience, 75 and 90: a request may meet such an end. But
long, since httpcore may close what has been idle for so long when another thread has just been given it."""
SHARED = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=KEPT)
