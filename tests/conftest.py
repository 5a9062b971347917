"""The fixtures of the harness, for every test; what a test does not ask for is not started."""

from hypothesis import settings

pytest_plugins = [
    "harness.fixtures",
    "harness.lenses.fixtures",
    "harness.operator_fixtures",
    "harness.dealing",
    "harness.slowest",
]

# How long one example takes is the machine's affair, and no verdict.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
