"""④ Documents of the cluster and the stores, trimmed to the facts that decisions need. Pure. Imports no other room."""
