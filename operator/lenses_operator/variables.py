"""The operator's environment variables, for commands that read one or two: `settings` takes long to import."""

PREFIX = "LENSES_OPERATOR_"
