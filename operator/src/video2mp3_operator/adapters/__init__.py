"""④⑤⑦ The real systems behind the ports. Each SDK is imported in its adapter and nowhere else.

Imports `cache`, `installation`, `ports` and `objects`.
"""
