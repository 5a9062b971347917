"""The fixtures of the harness, for every test; what a test does not ask for is not started."""

from hypothesis import settings

pytest_plugins = [
    "pytester",
    "harness.fixtures",
    "harness.lenses.fixtures",
    "harness.operator_fixtures",
    "harness.dealing",
    "harness.slowest",
]

# How long one example takes is the machine's affair, and no verdict; and each run tries the same examples.
settings.register_profile("the same for all", deadline=None, derandomize=True)
settings.load_profile("the same for all")
