"""Users and roles in MongoDB. What is there is brought up to date: the same again changes nothing."""

import time
from collections.abc import Sequence
from typing import Any, Final

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from video2mp3_operator.installation.users import User
from video2mp3_operator.ports.errors import UnavailableError

_ALREADY_THERE: Final = (51002, 51003)
"""Codes of MongoDB: a role, or a user, of that name exists."""

_PATIENCE_SECONDS: Final = 600
"""For a server that is being fetched and started."""

_PAUSE_SECONDS: Final = 2
_TRY_SECONDS: Final = 10
_ANSWER_SECONDS: Final = 30


def grant(admin_uri: str, users: Sequence[User], patience: float = _PATIENCE_SECONDS) -> None:
    """Give each user its password and its role, which may do what it may and no more. Raises UnavailableError."""
    until = time.monotonic() + patience
    with MongoClient[dict[str, Any]](
        admin_uri,
        appname="video2mp3-users",
        serverSelectionTimeoutMS=_TRY_SECONDS * 1000,
        connectTimeoutMS=_TRY_SECONDS * 1000,
        socketTimeoutMS=_ANSWER_SECONDS * 1000,
    ) as client:
        while True:
            try:
                for user in users:
                    _grant(client.admin, user)
            except ConnectionFailure as error:
                if time.monotonic() > until:
                    raise UnavailableError(f"MongoDB did not answer: {type(error).__name__}") from error
                time.sleep(_PAUSE_SECONDS)
            except PyMongoError as error:
                raise UnavailableError(f"MongoDB refused: {_words(error)}") from error
            else:
                return


def _grant(admin: "Database[dict[str, Any]]", user: User) -> None:
    _put(admin, "Role", user.role, {"privileges": user.privileges, "roles": []})
    _put(admin, "User", user.name, {"pwd": user.password, "roles": [{"role": user.role, "db": admin.name}]})


def _put(admin: "Database[dict[str, Any]]", kind: str, name: str, fields: dict[str, Any]) -> None:
    try:
        admin.command(f"create{kind}", name, **fields)
    except OperationFailure as error:
        if error.code not in _ALREADY_THERE:
            raise
        admin.command(f"update{kind}", name, **fields)


def _words(error: PyMongoError) -> str:
    """MongoDB's own; an address, which holds the password, does not stand in them."""
    return str((error.details or {}).get("errmsg", "")) if isinstance(error, OperationFailure) else type(error).__name__
