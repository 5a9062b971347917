"""What a request to the Kubernetes API can end in."""

from __future__ import annotations


class KubeError(Exception):
    """A request to the Kubernetes API that did not succeed; `status` is 0 where there was no answer."""

    def __init__(self, what: str, status: int, message: str) -> None:
        super().__init__(f"{what}: {status or 'no answer'} {message}".rstrip())
        self.status = status

    @property
    def not_found(self) -> bool:
        return self.status == 404

    @property
    def outdated(self) -> bool:
        """The object has changed since it was read: 409, or 422 where a JSON patch's `test` failed."""
        return self.status in (409, 422)
