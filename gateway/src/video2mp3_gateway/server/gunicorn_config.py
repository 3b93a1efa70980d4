"""How gunicorn runs the gateway: one process with threads for each pod; more pods for more load.

Settings' meaning: gunicorn's documentation. This module is read by gunicorn's own process as well, so it imports
nothing large.
"""

from typing import Any

from video2mp3_contracts.server import limits
from video2mp3_gateway.server.capacity import GRACEFUL_SECONDS, THREADS
from video2mp3_gateway.server.minimum_rate import MinimumRateSocket

bind = "0.0.0.0:8080"  # the pod's network policy says who gets here
wsgi_app = "video2mp3_gateway.app.wsgi:create_app()"
workers = 1
worker_class = "video2mp3_contracts.server.worker.Worker"
worker_connections = limits.connections()
threads = THREADS
# Longer than ingress controllers keep idle connections to us (Traefik and nginx: up to 90 s), so that it is never we
# who close one at the moment when a request is sent on it.
keepalive = 100
graceful_timeout = GRACEFUL_SECONDS
worker_tmp_dir = "/dev/shm"  # noqa: S108 - the root file system may be read-only
control_socket_disable = True  # needs a writable folder, and nobody uses it
# No header of a client's changes its address, the scheme or where the application lies. By default one that comes from
# loopback may, as all do behind a sidecar proxy.
forwarded_allow_ips = ""
accesslog = None  # the application writes the access log
# gunicorn's own lines go through the application's log set-up, as JSON like all others.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "INFO", "handlers": []},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
    "handlers": {},
    "formatters": {},
}


def on_starting(server: Any) -> None:
    """Log as the services do, from gunicorn's first line on."""
    from video2mp3_contracts.runtime.logs import configure_logging  # noqa: PLC0415 - gunicorn reads this module before it is set up

    configure_logging("gateway")


def pre_request(worker: Any, req: Any) -> None:
    """Prepare the connection before the application sees the request.

    A client that asks "may I send?" (Expect: 100-continue) is answered when the body is wanted, not before: see
    `continuation`.
    """
    req.unreader.sock = MinimumRateSocket(req.unreader.sock)
    req._expected_100_continue = False  # noqa: SLF001 - the one place where gunicorn remembers that it has to answer


def post_request(_worker: Any, req: Any, _environ: Any, _response: Any) -> None:
    """Stop the watch: a connection may be silent until the next request on it."""
    if isinstance(req.unreader.sock, MinimumRateSocket):
        req.unreader.sock = req.unreader.sock.whole


def post_worker_init(worker: Any) -> None:
    """Tell the application when the pod is asked to end."""
    from video2mp3_gateway.server.drain import begin_at_sigterm  # noqa: PLC0415 - only the worker process has an application

    begin_at_sigterm(worker.wsgi)
