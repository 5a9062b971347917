"""What is used with `with`."""

from typing import Self


class Ended:
    """Whatever happened in it, nothing is left running or open."""

    def _end(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
