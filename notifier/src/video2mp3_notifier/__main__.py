"""`video2mp3-notifier`: start the service."""

import logging
import sys

import structlog
from pydantic import ValidationError

from video2mp3_contracts.api.validation_errors import of_variables
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_notifier.bootstrap import run
from video2mp3_notifier.settings import NotifierSettings

EXIT_CONFIG = 78
"""EX_CONFIG of BSD's sysexits.h."""


def main() -> None:
    """Read the settings and run until told to stop."""
    configure_logging("notifier")
    # pika logs every failure several times over; it also raises each, and we log that once.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    log = structlog.get_logger(__name__)
    try:
        settings = NotifierSettings()
    except ValidationError as error:
        log.critical("settings_invalid", problems=of_variables(error, "NOTIFIER_"))
        sys.exit(EXIT_CONFIG)
    try:
        run(settings)
    except OSError as error:
        log.critical("start_failed", reason=str(error))
        sys.exit(EXIT_CONFIG)
    log.info("stopped")


if __name__ == "__main__":
    main()
