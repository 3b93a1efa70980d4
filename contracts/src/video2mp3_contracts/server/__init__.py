"""The web server of our two HTTP services: gunicorn's threads, with everything that only waits held off them.

A thread serves a request whose head is whole. Until then, between requests, while an answer is on its way and while a
connection is being closed, one loop holds the connection, and each of these has an end that no client can put off.

`heads`, `waiting`, `outgoing` decide; `refusals` answers for what reaches no application; `worker` is gunicorn's part.
Why it is so: docs/adr/0030-gunicorns-threads-behind-a-loop.md.
Imports `runtime`; `limits` and `heads` no SDK, since gunicorn's own process reads them.
"""
