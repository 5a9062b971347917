"""What is known of the objects in Kubernetes. One way in: whatever brings an object, it is applied here."""
