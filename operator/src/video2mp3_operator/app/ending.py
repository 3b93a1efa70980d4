"""④ The end of an operator that led and does not any more: at once, with nothing tidied up, as if it had been killed.

Whatever it was doing, another one may be doing by now; and it is made to be killed at any line. Kubernetes starts it
again, and it stands by.
"""

import os
import sys

import structlog

_log = structlog.get_logger(__name__)

_EXIT_CODE = 1


def end_process(why: str) -> None:
    """Say why, and end."""
    _log.error("leadership_lost", why=why)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(_EXIT_CODE)
