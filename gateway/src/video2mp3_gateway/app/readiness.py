"""Whether this process can be sent requests: each system it needs was reached once since it started.

Not whether each can be reached now. When a store is away it is away for every gateway, and none would be left to tell
people so in an answer they understand; requests say it, one by one, with 503 and Retry-After. A gateway that was set
up wrongly never becomes ready, which keeps a bad release from replacing a good one.
"""

from collections.abc import Callable, Mapping

import structlog

_log = structlog.get_logger(__name__)


class Readiness:
    """Asks each system until it has answered once."""

    def __init__(self, pings: Mapping[str, Callable[[], None]]) -> None:
        self._missing = dict(pings)

    def check(self) -> None:
        """Raise DependencyUnavailable while a system has not been reached."""
        for service, ping in list(self._missing.items()):
            ping()
            self._missing.pop(service, None)
            _log.info("service_reached", needs=service)
