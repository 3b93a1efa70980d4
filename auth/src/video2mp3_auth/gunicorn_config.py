"""How gunicorn runs the service: `gunicorn -c python:video2mp3_auth.gunicorn_config`.

One process with threads for each pod; replicas scale. The threads mostly wait: for the database (4 connections) or for
one of the few places to hash a password.
"""

from typing import Any

from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_contracts.server import limits

wsgi_app = "video2mp3_auth.app:create_app()"
bind = "0.0.0.0:8080"
workers = 1
worker_class = "video2mp3_contracts.server.worker.Worker"
worker_connections = limits.connections()
threads = 16
timeout = 30
graceful_timeout = 20  # seconds; a login takes at most about half of it, and a pod has 30
keepalive = 75  # longer than the gateway keeps idle connections, so that it never meets one we just closed
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn's heartbeat file; a disk could block it
control_socket_disable = True  # the root file system is read-only, and nobody uses it
# No header of a client's changes its address, the scheme or where the application lies. By default one that comes from
# loopback may, as all do behind a sidecar proxy.
forwarded_allow_ips = ""
accesslog = None  # contracts/…/runtime/web.py writes the access log
# gunicorn's own messages go where ours go.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {},
    "formatters": {},
    "root": {"level": "INFO", "handlers": []},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
}


def on_starting(_server: Any) -> None:
    """Set logging up in the process that watches over the worker."""
    configure_logging("auth")
