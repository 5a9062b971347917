"""The fixtures of the harness, for every test; what a test does not ask for is not started."""

pytest_plugins = ["harness.fixtures", "harness.lenses.fixtures", "harness.operator_fixtures"]
