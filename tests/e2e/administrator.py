"""Somebody who runs a release by the commands of docs/operations.md, as they stand there."""

from pathlib import Path

from tests.e2e.release import Release
from tests.e2e.shell import type_in
from video2mp3_localcluster.demo import mail_server
from video2mp3_localcluster.steps.layout import repository_root

VALUES = "values.yaml"
_READ = ("charts", "init.sql")
"""Of the checkout: what the page's commands read."""


class Administrator:
    """Somebody at a shell, in a folder with the chart and the release's values, who types what the page says."""

    def __init__(self, release: Release, folder: Path) -> None:
        self._release = release
        self._folder = folder
        for name in _READ:
            (folder / name).symlink_to(repository_root() / name)
        (folder / VALUES).write_text(self.type("helm get values video2mp3 --namespace video2mp3 --output yaml"))

    def type(self, script: str) -> str:
        """Run commands one after the other; each has to succeed."""
        # The page's release is called as its namespace is, and its mail server's Secret holds all that it needs.
        script = script.replace("namespace video2mp3", f"namespace {self._release.namespace}")
        script = script.replace('namespaces="video2mp3"', f'namespaces="{self._release.namespace}"')
        script = script.replace("mp3-smtp", f"{mail_server.LOGIN_SECRET} {mail_server.TLS_SECRET}")
        return type_in(self._release, self._folder, script)
