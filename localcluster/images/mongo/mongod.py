#!/opt/venv/bin/python
"""Starts SecantusDB as the official MongoDB image starts `mongod`.

At the first start it creates the root account of `MONGO_INITDB_ROOT_USERNAME` and `MONGO_INITDB_ROOT_PASSWORD` (each
also as `NAME_FILE`); from then on every client must log in. Without them nobody has to. Of mongod's arguments it takes
the port and the data folder; the others tune what it does not have.
"""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

from pymongo import MongoClient

LOOPBACK = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 30


def option(name: str) -> str | None:
    """Return a variable's value, or the content of the file that `NAME_FILE` names."""
    file = os.environ.get(f"{name}_FILE")
    return Path(file).read_text().strip() if file else os.environ.get(name)


def arguments(argv: list[str]) -> argparse.Namespace:
    """Parse what is understood of mongod's arguments."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--port", type=int, default=27017)
    parser.add_argument("--dbpath", type=Path, default=Path("/data/db"))
    words = argv[1:] if argv[:1] == ["mongod"] else argv
    known, ignored = parser.parse_known_args(words)
    if ignored:
        print(f"ignored: {' '.join(ignored)}", flush=True)
    return known


def daemon(host: str, port: int, folder: Path) -> list[str]:
    """Return the argv of the server; it syncs every commit, so that a killed pod loses nothing acknowledged."""
    command = ["secantusd-py", "--host", host, "--port", str(port), "--storage-path", str(folder)]
    return [*command, "--standalone", "--sync-on-commit", "--cache-size", "256M", "--log-level", "INFO"]


def free_port() -> int:
    """Return a port for the server that only this script talks to."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def create_root(username: str, password: str, folder: Path) -> None:
    """Create the root account through a server that nobody else can reach."""
    port = free_port()
    with subprocess.Popen(daemon(LOOPBACK, port, folder)) as server:
        try:
            with MongoClient(LOOPBACK, port, serverSelectionTimeoutMS=START_SECONDS * 1000) as client:
                users = client.admin.command("usersInfo", username)["users"]
                if not users:
                    client.admin.command("createUser", username, pwd=password, roles=["root"])
        finally:
            server.terminate()
            server.wait(STOP_SECONDS)


def main() -> None:
    """Prepare the data folder once, then become the server."""
    known = arguments(sys.argv[1:])
    folder = known.dbpath / "secantus"
    username, password = option("MONGO_INITDB_ROOT_USERNAME"), option("MONGO_INITDB_ROOT_PASSWORD")
    if (username is None) != (password is None):
        sys.exit("set MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD both, or neither")
    command = daemon("0.0.0.0", known.port, folder)  # noqa: S104 - a pod serves all who may reach it
    if username is not None and password is not None:
        initialised = known.dbpath / ".initialised"
        if not initialised.exists():
            create_root(username, password, folder)
            initialised.touch()
        command.append("--auth")
    os.execvp(command[0], command)  # noqa: S606 - the server takes this process's place, and its signals


if __name__ == "__main__":
    main()
