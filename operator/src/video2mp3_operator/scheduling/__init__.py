"""④ Whose turn it is: the order of those who wait, the queue itself, and which places in it are worth writing.

Imports `cache` and `objects`.
"""
