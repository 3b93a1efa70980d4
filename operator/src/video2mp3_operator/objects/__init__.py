"""④ Documents of the cluster and the stores, trimmed to the facts that decisions need. Imports no other room."""
