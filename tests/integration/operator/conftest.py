"""Each scenario of this folder runs under a persona of the Lenses server."""

from harness.personas import persona

__all__ = ["persona"]
