"""From a Kubernetes object to its model."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from lenses_operator.resources.base import ObjectKey, Resource

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Resource)


def parse(kind: type[R], body: Mapping[str, Any]) -> R | None:
    """None for an object the API server would not take: then the CRD of another version is installed."""
    try:
        return kind.parse(body)
    except ValidationError as error:
        metadata = body.get("metadata", {})
        where = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False))
        logger.error(  # noqa: TRY400 - the traceback would quote the object
            "%s not understood, is the CRD of this version installed? fields: %s",
            kind.kind_name,
            where,
            extra={"resource": ObjectKey(kind.kind_name, str(metadata.get("namespace")), str(metadata.get("name")))},
        )
        return None
