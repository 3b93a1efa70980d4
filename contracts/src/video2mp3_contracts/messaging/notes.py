"""⑥ The notes on an mp3: sentences of the worker's own on what was not done as somebody might have expected, and why.

They travel from the worker through the ledger to `status.output.notes`, and through the queue into the email. An mp3
with notes is a success all the same.
"""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

MAX_NOTES: Final = 16
"""Of one mp3: more than anybody reads."""

MAX_NOTE_LENGTH: Final = 500
"""Characters of one note: a sentence or two."""


def _fitted(notes: Any) -> Any:
    """Whatever a worker of another version has noted is cut, never refused: a note must not cost anybody the mp3."""
    if not isinstance(notes, list | tuple):
        return notes
    return tuple(_cut(note) if isinstance(note, str) else note for note in notes[:MAX_NOTES])


def _cut(note: str) -> str:
    return note if len(note) <= MAX_NOTE_LENGTH else note[: MAX_NOTE_LENGTH - 1] + "…"


Notes = Annotated[
    tuple[Annotated[str, Field(max_length=MAX_NOTE_LENGTH)], ...], Field(max_length=MAX_NOTES), BeforeValidator(_fitted)
]
"""A field of notes: the first MAX_NOTES, cut to MAX_NOTE_LENGTH."""
