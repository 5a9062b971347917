"""A node of Kubernetes with the product's image in real pods: kubelet, containerd, runc and a bridge, in namespaces."""
