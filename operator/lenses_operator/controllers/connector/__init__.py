"""One LensesConnector: `reconciler` reads top to bottom, each action is a module."""
