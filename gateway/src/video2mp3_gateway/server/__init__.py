"""How gunicorn runs the gateway: how many at a time, how slow a client may be, how a process ends.

Imports no other room, since gunicorn's own process reads it.
"""
