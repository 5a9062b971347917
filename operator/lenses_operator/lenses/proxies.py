"""Proxies: what the environment names is not read for Lenses, and whoever has set it should be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from yarl import URL

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


@dataclass(frozen=True)
class Proxy:
    """`url` without `credentials`, which are a name and a password."""

    url: str
    credentials: tuple[str, str] | None = field(repr=False)


def through(proxy: str) -> Proxy:
    """Raises ValueError."""
    try:
        url = URL(proxy)
        named = url.scheme in {"http", "https"} and url.host
    except ValueError:
        named = None
    if not named:
        raise ValueError("the proxy must be a URL, http or https, such as http://proxy.example.com:3128") from None
    credentials = (url.user or "", url.password or "") if url.user or url.password else None
    return Proxy(str(url.with_user(None)), credentials)
