"""Manifests as people write them: read from YAML as kubectl would, each part with its line."""
