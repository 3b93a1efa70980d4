"""The programs that are compiled or fetched once: Kubernetes, MySQL, FerretDB … Imports `debian` and `steps`."""
