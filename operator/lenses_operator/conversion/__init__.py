"""Connectors that exist elsewhere, turned into manifests: from Lenses, from other operators, from Connect's files."""
