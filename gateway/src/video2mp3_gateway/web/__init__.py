"""①③⑨ The paths that can be asked for, a module for each group. They translate between HTTP and the rest.

Imports `upload`, `download`, `classes`, `http` and `ports`.
"""
