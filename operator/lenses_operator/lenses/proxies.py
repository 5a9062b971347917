"""Proxies: what the environment names is not read for Lenses, and whoever has set it should be told."""

from __future__ import annotations

from collections.abc import Mapping

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
