"""Starts `kopf run -m video2mp3_operator.handlers` for the namespaces of the settings."""

from kopf.cli import main as kopf_main

from video2mp3_operator.settings import Settings


def arguments(settings: Settings) -> list[str]:
    """Give kopf's command line."""
    namespaces = [part for namespace in settings.watch_namespaces for part in ("--namespace", namespace)]
    return ["run", "--standalone", *(namespaces or ["--all-namespaces"]), "--module", "video2mp3_operator.handlers"]


def main() -> None:
    """Run the operator until it is stopped."""
    kopf_main(args=arguments(Settings()), prog_name="kopf")


if __name__ == "__main__":
    main()
