"""④ Who may delete what nobody asked to be deleted (`rules`), and what does it (`collector`).

Imports `reconciler` and what is below it.
"""
