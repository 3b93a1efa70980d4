"""Starts `kopf run -m video2mp3_operator.app.handlers` for the settings' namespaces; or an administrator's command."""

import asyncio
import sys

from kopf.cli import main as kopf_main
from pydantic import ValidationError

from video2mp3_contracts.api.validation_errors import of_variables
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_operator.app import commands
from video2mp3_operator.app.pause import pause
from video2mp3_operator.policy.settings import Settings


def arguments(settings: Settings) -> list[str]:
    """Give kopf's command line."""
    namespaces = [part for namespace in settings.visible_namespaces for part in ("--namespace", namespace)]
    return ["run", "--standalone", *(namespaces or ["--all-namespaces"]), "--module", "video2mp3_operator.app.handlers"]


def main() -> None:
    """Run the operator until it is stopped; with arguments, a command to its end."""
    match sys.argv[1:2]:
        case ["users"]:
            sys.exit(commands.make_users(sys.argv[1:]))
        case ["secrets"]:
            sys.exit(commands.make_secrets(sys.argv[1:]))
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(f"The operator's environment is not as it should be: {of_variables(error, 'OPERATOR_')}")
    if len(sys.argv) > 1:
        sys.exit(commands.run(sys.argv[1:], settings))
    if settings.paused:
        configure_logging("operator", settings.log_level)
        asyncio.run(pause(settings.http_port))
        return
    kopf_main(args=arguments(settings), prog_name="kopf")


if __name__ == "__main__":
    main()
