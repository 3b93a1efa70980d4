"""How much one gateway process does at a time. Kept free of imports: gunicorn's own process reads it too.

Each request holds a thread while it lasts. Uploads and downloads last long, so both are bounded, and what is left of
the threads answers everything else: logins, status, health checks.
"""

from typing import Final

MAX_UPLOADS: Final = 8
"""Uploads at a time. Each holds up to about 4 MiB of buffers."""

MAX_UPLOADS_PER_ACCOUNT: Final = 4
"""So that one account does not take every place."""

MAX_DOWNLOADS: Final = 16
"""Downloads at a time. Each holds up to about 2 MiB of buffers."""

MAX_DOWNLOADS_PER_ACCOUNT: Final = 8
"""So that one account's slow readers do not take every place. Programs that fetch a file in parts use up to 6."""

THREADS: Final = MAX_UPLOADS + MAX_DOWNLOADS + 8

DRAIN_SECONDS: Final = 40
"""After SIGTERM, running uploads have this long to end by themselves; then they are refused and removed."""

GRACEFUL_SECONDS: Final = 45
"""After SIGTERM, every request has this long. The pod's grace period must be longer."""
