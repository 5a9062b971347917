"""HTTP clients that several threads use at the same time."""

import httpx

SHARED = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None)
"""No connection is closed because it was idle: httpcore may do so when another thread has just been given it, which
then reads from a closed socket."""
