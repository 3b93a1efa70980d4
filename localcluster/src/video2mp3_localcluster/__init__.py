"""A real single-node Kubernetes for machines without Docker, compiled from source and run as ordinary processes."""
