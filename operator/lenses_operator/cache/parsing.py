"""From a Kubernetes object to its model."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from lenses_operator.resources.base import ObjectKey, Resource
from lenses_operator.resources.schema_mismatch import describe

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Resource)


def parse(kind: type[R], body: Mapping[str, Any]) -> R | None:
    """None for an object of which not even the metadata can be read; no API server gives such a one."""
    try:
        return kind.read(body)
    except ValidationError as error:
        metadata = body.get("metadata")
        known = metadata if isinstance(metadata, Mapping) else {}
        logger.error(  # noqa: TRY400 - the traceback would quote the object
            "%s not understood: %s",
            kind.kind_name,
            describe(error.errors(include_url=False, include_context=False, include_input=False)),
            extra={"resource": ObjectKey(kind.kind_name, str(known.get("namespace")), str(known.get("name")))},
        )
        return None
