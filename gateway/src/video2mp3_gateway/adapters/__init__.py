"""The real systems behind the ports: MongoDB, the Kubernetes API, the auth service. Each SDK is imported here alone.

Imports `ports`.
"""
