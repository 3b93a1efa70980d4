"""The auth service's own program, on the real database."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from cryptography.fernet import Fernet

from tests.servers import MariaDBServer
from tests.servers.process import HOST, await_condition, free_port

START_SECONDS = 30


class AuthService:
    """gunicorn with the image's configuration, and the command line beside it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = environment
        self.url = f"http://{HOST}:{free_port()}"
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "AuthService":
        bind = self.url.removeprefix("http://")
        command = [sys.executable, "-m", "gunicorn", "-c", "python:video2mp3_auth.gunicorn_config", "-b", bind]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *command], env=self.environment, stdout=log, stderr=log
            )
        await_condition(self._answers, seconds=START_SECONDS, what=f"the auth service did not start: {self.log}")
        return self

    def stop(self) -> int:
        """End it as Kubernetes does; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def command(self, *arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
        """Run `video2mp3-auth`."""
        command = [sys.executable, "-m", "video2mp3_auth.cli", *arguments]
        environment = self.environment | options.pop("environment", {})
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False, **options
        )

    def an_account(self, email: str, password: str) -> None:
        done = self.command("create-account", email, environment={"AUTH_ACCOUNT_PASSWORD": password})
        assert done.returncode == 0, done.stderr

    def login(self, email: str, password: str) -> requests.Response:
        return requests.post(f"{self.url}/login", auth=(email, password), timeout=20)

    def get(self, path: str, token: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(f"{self.url}{path}", headers=headers, timeout=20)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/healthz").status_code == 200
        except (requests.ConnectionError, requests.Timeout):  # it listens before it has loaded the application
            return False


@pytest.fixture
def make_service(mariadb: MariaDBServer) -> Iterator[Callable[..., AuthService]]:
    """Make a service that is not started yet; all of one test share the database and the encryption key."""
    key = Fernet.generate_key().decode()
    made: list[AuthService] = []
    with tempfile.TemporaryDirectory() as folder:

        def make(**changes: str) -> AuthService:
            environment = {
                "PATH": os.environ["PATH"],
                "AUTH_DATABASE_URL": mariadb.url,
                "AUTH_KEY_ENCRYPTION_KEY": key,
                **changes,
            }
            made.append(AuthService(environment, Path(folder) / f"log-{len(made)}"))
            return made[-1]

        yield make
        for service in made:
            if service.process is not None and service.process.poll() is None:
                service.stop()


@pytest.fixture
def service(make_service: Callable[..., AuthService]) -> AuthService:
    """A running service."""
    return make_service().start()
