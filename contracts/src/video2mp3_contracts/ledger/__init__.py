"""The ledger: what is stored of each conversion in MongoDB, and every change to it as one atomic move.

Imports `api`, `jobs` and `messaging`; knows no client of MongoDB.
"""
