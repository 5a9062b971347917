"""A Lenses API server for tests.

Lenses is closed source and not to be had here, so this stands in for it: the 13 Kafka Connect operations of
`tests/data/lenses-openapi.json`, the environments and connectors as code. A cluster is either `memory`
(simulated, thousands of connectors) or `connect` (forwarded to a real Kafka Connect). `harness.lenses.control`
describes how tests steer it.
"""
