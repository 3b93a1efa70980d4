"""④ What was last seen of the cluster, in memory: filled by watches, read by decisions.

Imports `ports` and `objects`.
"""
