"""The real surroundings of the operator for tests, demo and benchmarks: Kubernetes, Kafka, Kafka Connect, Lenses."""
