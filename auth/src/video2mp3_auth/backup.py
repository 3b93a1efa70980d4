"""All accounts and signing keys as one JSON document, and back: a backup that needs no tool but ours.

Private keys are in it as they are stored, encrypted with AUTH_KEY_ENCRYPTION_KEY; passwords as their hashes.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Table, select

from video2mp3_auth.errors import UnusableInput
from video2mp3_auth.mysql import BACKED_UP, UtcDateTime, our_errors


def dump(engine: Engine) -> str:
    """Every row of every table that is backed up, at one moment."""
    with our_errors(), engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        rows = {table.name: [dict(row) for row in connection.execute(select(table)).mappings()] for table in BACKED_UP}
    return json.dumps(rows, default=datetime.isoformat)


def load(engine: Engine, text: bytes) -> int:
    """Put back what `dump` wrote in the place of all that is there, or nothing; answers how many rows.

    Raises UnusableInput where it is no whole dump.
    """
    try:
        document = json.loads(text)
        rows = {table: _rows(table, document[table.name]) for table in BACKED_UP}
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInput("What came is no dump, or was cut short. Nothing was changed.") from error
    with our_errors(), engine.begin() as connection:
        for table, found in rows.items():
            connection.execute(table.delete())
            if found:
                connection.execute(table.insert(), found)
    return sum(map(len, rows.values()))


def _rows(table: Table, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{column.name: _value(column.type, row[column.name]) for column in table.columns} for row in found]


def _value(kind: Any, value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(kind, UtcDateTime) and value is not None else value
