"""①② From a connection into the store: forms, file names, and the Conversion that follows.

Imports `classes`, `http`, `ports` and `server`; knows no SDK.
"""
