"""Client for the Lenses 6.2 Kafka Connect API; knows nothing of Kubernetes."""
