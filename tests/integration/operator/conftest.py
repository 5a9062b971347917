"""Each scenario of this folder runs under a persona of the Lenses server."""

from harness.personas import persona, pytest_generate_tests

__all__ = ["persona", "pytest_generate_tests"]
