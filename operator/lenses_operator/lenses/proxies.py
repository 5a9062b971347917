"""Proxies: what the environment names is not read for Lenses, and whoever has set it should be told."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import httpx

SETTING = "LENSES_OPERATOR_LENSES_PROXY"
_VARIABLES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})


def ignored(environ: Mapping[str, str]) -> str:
    """What to say of variables that name a proxy; empty where none does, or where the setting names one."""
    named = sorted(key for key, value in environ.items() if key.upper() in _VARIABLES and value)
    if not named or environ.get(SETTING):
        return ""
    return (
        f"{', '.join(named)} {'is' if len(named) == 1 else 'are'} set and not read: {SETTING} is the proxy for Lenses"
    )


def through(proxy: str, context: ssl.SSLContext) -> httpx.Proxy:
    """One that is spoken to over TLS is checked against the same certificates. Raises ValueError."""
    try:
        return httpx.Proxy(proxy, ssl_context=context if proxy.startswith("https:") else None)
    except (httpx.InvalidURL, ValueError):
        raise ValueError("the proxy must be a URL, http or https, such as http://proxy.example.com:3128") from None
