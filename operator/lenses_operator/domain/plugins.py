"""Is a class installed, and which ones are near it? Connect also takes short names, which the list does not show."""

from __future__ import annotations

from collections.abc import Sequence

from lenses_operator.lenses.models import Plugin

NEAREST = 3


def aliases(class_name: str) -> set[str]:
    """A class can be named in full, by its simple name, and by that without the ending Connector."""
    simple = class_name.rsplit(".", 1)[-1].rsplit("$", 1)[-1]
    return {class_name, simple, simple.removesuffix("Connector")}


def installed(class_name: str, plugins: Sequence[Plugin]) -> bool:
    return any(class_name in aliases(plugin.class_name) for plugin in plugins)


def nearest(class_name: str, plugins: Sequence[Plugin]) -> list[str]:
    """Up to three installed connector classes, the most similar first, each with its version."""
    versions: dict[str, set[str]] = {}
    for plugin in plugins:
        if plugin.type in (None, "source", "sink"):
            versions.setdefault(plugin.class_name, set()).update({plugin.version} if plugin.version else set())
    from difflib import SequenceMatcher  # imported here: hardly ever asked for, and kept in memory for good

    simple = class_name.rsplit(".", 1)[-1].lower()

    def likeness(candidate: str) -> float:
        other = candidate.rsplit(".", 1)[-1].lower()
        whole = SequenceMatcher(None, class_name.lower(), candidate.lower()).ratio()
        return max(whole, SequenceMatcher(None, simple, other).ratio())

    ranked = sorted((name for name in versions if likeness(name) >= 0.5), key=lambda name: (-likeness(name), name))
    return [f"{name} {'/'.join(sorted(versions[name]))}".rstrip() for name in ranked[:NEAREST]]


def not_found_message(class_name: str, cluster: str, plugins: Sequence[Plugin]) -> str:
    """Quotes the class, so that a stray character shows."""
    near = nearest(class_name, plugins)
    hint = f"Nearest installed: {', '.join(near)}." if near else "Nothing installed there has a similar name."
    return (
        f"spec.class {class_name!r} is not installed in Connect cluster {cluster}. {hint} "
        "Correct spec.class, or install the plugin on the cluster's workers."
    )
