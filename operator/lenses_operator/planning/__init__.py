"""What `plan` finds out: from manifests, Lenses and perhaps Kubernetes to a list of what would be done. Only reads."""
