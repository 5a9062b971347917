"""One LensesConnectorOffsets."""
