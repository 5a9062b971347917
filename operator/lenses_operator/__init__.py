"""Kubernetes operator that runs Kafka connectors through the Lenses API."""
