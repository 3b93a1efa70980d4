"""④ What is told to those who watch: metrics, Kubernetes Events, health. Imports `ports` and `objects`."""
