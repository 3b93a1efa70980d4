"""⑤→⑥ What the operator and a worker's Job tell each other: the request, the exit code, the termination message.

Imports `api` and `messaging`.
"""
