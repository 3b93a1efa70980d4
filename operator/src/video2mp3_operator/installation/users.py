"""Who may do what in MongoDB: a user and a role of its own for each service, as the command `users` makes them. Pure.

Rights hold for a whole database where a service uses more than one of its collections. Names of actions: MongoDB's
manual, "Privilege Actions".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from video2mp3_contracts.ledger.storage import LEDGER_COLLECTION, MP3S_DATABASE, VIDEOS_DATABASE

PREFIX: Final = "USERS_"
"""Of the variables that the command reads."""

ROLE_PREFIX: Final = "video2mp3-"
"""Of the roles, which stand in the database `admin` beside the users."""

_READ: Final = ("find",)
_WRITE: Final = ("createIndex", "find", "insert", "remove", "update")
_LEDGER: Final = ("createIndex", "find", "insert", "update")

_WHOLE: Final = ""
"""Every collection of a database."""

RIGHTS: Final[Mapping[str, Mapping[tuple[str, str], Sequence[str]]]] = {
    # It stores uploads, and reads mp3s; one that outlived its Conversion it removes for its owner.
    "gateway": {
        (VIDEOS_DATABASE, _WHOLE): _WRITE,
        (MP3S_DATABASE, _WHOLE): (*_READ, "remove"),
        (MP3S_DATABASE, LEDGER_COLLECTION): ("createIndex", "update"),
    },
    # It alone removes what is nobody's any more; listCollections is for its command `dump`.
    "operator": {
        (VIDEOS_DATABASE, _WHOLE): ("listCollections", *_WRITE),
        (MP3S_DATABASE, _WHOLE): ("listCollections", *_WRITE),
    },
    "worker": {(VIDEOS_DATABASE, _WHOLE): _READ, (MP3S_DATABASE, _WHOLE): _WRITE},
    "notifier": {(MP3S_DATABASE, LEDGER_COLLECTION): _LEDGER},
}
"""For each service the actions that it is allowed, by database and collection."""


class UsersSettings(BaseSettings):
    """Where the users are made, and how each service logs in. Without a service's address it gets no user here."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, hide_input_in_errors=True)

    admin_uri: SecretStr
    """With a user who may manage users and roles (`userAdminAnyDatabase`, or `root`)."""

    gateway_uri: SecretStr | None = None
    operator_uri: SecretStr | None = None
    worker_uri: SecretStr | None = None
    notifier_uri: SecretStr | None = None

    @property
    def uris(self) -> Mapping[str, str]:
        """The services' addresses, of those that have one."""
        given = {service: getattr(self, f"{service}_uri") for service in RIGHTS}
        return {service: uri.get_secret_value() for service, uri in given.items() if uri is not None}


@dataclass(frozen=True)
class User:
    """A service's user, as its address names it."""

    service: str
    name: str
    password: str

    @property
    def role(self) -> str:
        """The role's name."""
        return ROLE_PREFIX + self.service

    @property
    def privileges(self) -> list[dict[str, Any]]:
        """The role's privileges, as MongoDB's createRole takes them."""
        return [
            {"resource": {"db": database, "collection": collection}, "actions": [*actions]}
            for (database, collection), actions in RIGHTS[self.service].items()
        ]


def users_of(uris: Mapping[str, str]) -> list[User]:
    """The users that addresses name. Raises ValueError where one names none."""
    users = []
    for service, uri in uris.items():
        parts = urlsplit(uri)
        if not parts.username or not parts.password:
            raise ValueError(f"{PREFIX}{service.upper()}_URI: needs mongodb://USER:PASSWORD@…")
        users.append(User(service, unquote(parts.username), unquote(parts.password)))
    return users
