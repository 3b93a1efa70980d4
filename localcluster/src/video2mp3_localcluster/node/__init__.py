"""A complete Kubernetes on this machine: its files, its processes, its namespaces, a second node.

Imports `programs` and `steps`.
"""
