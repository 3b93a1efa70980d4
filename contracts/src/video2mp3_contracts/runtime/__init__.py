"""What every service needs while it runs: logs, metrics, HTTP conventions, and clients whose every wait ends.

The one room that knows Flask, pymongo and pika. Imports `ledger`, `api` and `messaging`.
"""
