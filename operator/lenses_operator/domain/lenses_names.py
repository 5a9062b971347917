"""Which names Lenses itself is known to take; others are warned of, never refused, since Lenses has the last word.

A Lenses resource name (LRN), which its permissions are about, is `service:type:environment/cluster/connector`.
"""

from __future__ import annotations

import re

_ENVIRONMENT = re.compile(r"[a-z0-9-]{1,63}")
_CLUSTER = re.compile(r"[A-Za-z0-9-]+")


def odd_environment(name: str) -> str | None:
    """What is wrong with it; None for one that can be an environment's name."""
    if _ENVIRONMENT.fullmatch(name):
        return None
    return (
        f"{name!r} cannot be the name of a Lenses environment, which has 1 to 63 lower-case letters, digits and '-'; "
        "is it the environment's display name?"
    )


def odd_cluster(name: str) -> str | None:
    """The same of a Kafka Connect cluster."""
    if _CLUSTER.fullmatch(name):
        return None
    return (
        f"{name!r} cannot be what Lenses calls a Kafka Connect cluster, which has letters, digits and '-' alone; "
        "compare it with the cluster's name in Lenses"
    )


def odd_connector(name: str) -> str | None:
    """The same of a connector: Kafka Connect takes any name, Lenses' permissions do not."""
    if ":" not in name:
        return None
    return (
        f"connector {name!r} has a ':' in its name, which separates the parts of Lenses' resource names (LRNs): "
        "permissions may not be able to name it, and Lenses may refuse it"
    )
