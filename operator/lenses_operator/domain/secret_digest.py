"""Tells a Secret that was only touched from one whose data has changed, though no value is kept anywhere.

Status keeps an HMAC over the values from Secrets, under a key of the operator's own: nobody without it can try values
against the digest, and it differs between resources that have the same password.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace

from lenses_operator.domain.render import Rendered
from lenses_operator.resources.connector import AppliedConfig, SecretVersion

ENTRY = "key"
"""Of the Secret that holds the key."""
SHORTEST = 16
"""Bytes of a key that a person has put there."""


def with_digest(rendered: Rendered, key: bytes | None, uid: str) -> Rendered:
    """`uid`: the resource's. As it is where nothing comes from a Secret, or where there is no key."""
    if key is None or not rendered.secrets:
        return rendered
    data = [[name, one.name, one.key, rendered.config[name]] for name, one in sorted(rendered.secrets.items())]
    text = json.dumps([uid, data], separators=(",", ":"))
    return replace(rendered, digest="hmac-sha256:" + hmac.new(key, text.encode(), hashlib.sha256).hexdigest())


def with_known_versions(rendered: Rendered, applied: AppliedConfig | None) -> Rendered:
    """With the resourceVersions under which status knows the same data. It only ever makes things equal that would not
    be: without a digest, or with one under another key, the resourceVersions decide."""
    if applied is None or not rendered.digest or applied.secrets_digest != rendered.digest:
        return rendered
    known = {(one.name, one.key): one.resource_version for one in applied.secrets}
    secrets = {
        name: replace(one, resource_version=known.get((one.name, one.key), one.resource_version))
        for name, one in rendered.secrets.items()
    }
    same = {(one.name, one.key): one.resource_version for one in rendered.secrets.values()}
    given = frozenset(
        SecretVersion(name=one.name, key=one.key, resource_version=known[one.name, one.key])
        if one.resource_version == same.get((one.name, one.key)) and (one.name, one.key) in known
        else one
        for one in rendered.given_versions
    )
    return replace(rendered, secrets=secrets, given_versions=given)
