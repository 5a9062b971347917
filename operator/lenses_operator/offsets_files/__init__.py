"""LensesConnectorOffsets as YAML files: to go back from an operation, and to take offsets along."""
