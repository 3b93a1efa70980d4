"""④ What is told to those who watch: metrics, Kubernetes Events, health and its heartbeat. Imports `ports`."""
