"""`spec.output.tags`: what the mp3 says of itself."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from video2mp3_contracts.api.field_rules import (
    NO_CONTROL_CHARACTERS,
    NO_CONTROL_CHARACTERS_IN_LINES,
    Text,
    TextsByName,
    in_lines,
    in_one_line,
)
from video2mp3_contracts.api.model import ADDED_LATER, Model

MAX_CUSTOM_TAGS: Final = 16

MAX_CUSTOM_NAME: Final = 64

MAX_TAG: Final = 256
"""Characters, as long as a field has no other bound."""

MAX_COMMENT: Final = 1024

MAX_LYRICS: Final = 16_384
"""Characters. With all else that a spec may hold, it still goes into one environment variable of the worker."""


def _tag(name: str) -> Text:
    return Text(NO_CONTROL_CHARACTERS, in_one_line(f"output.tags.{name}"))


def _lines(name: str) -> Text:
    return Text(NO_CONTROL_CHARACTERS_IN_LINES, in_lines(f"output.tags.{name}"))


def _words(description: str, longest: int = MAX_TAG) -> Any:
    return Field(max_length=longest, description=description)


_CUSTOM = TextsByName(
    NO_CONTROL_CHARACTERS,
    most=MAX_CUSTOM_TAGS,
    longest_name=MAX_CUSTOM_NAME,
    longest_text=MAX_TAG,
    complaint=(
        f"output.tags.custom must be at most {MAX_CUSTOM_TAGS} texts in one line, of at most {MAX_TAG} characters each,"
        f" under names of 1 to {MAX_CUSTOM_NAME} characters, without control characters"
    ),
)


Id3Version = Literal["2.3", "2.4"]


class Tags(Model):
    """What the mp3's ID3 tag says. Unset fields are copied from the source."""

    title: Annotated[str | None, _words("Title."), _tag("title")] = None
    artist: Annotated[str | None, _words("Artist."), _tag("artist")] = None
    album: Annotated[str | None, _words("Album."), _tag("album")] = None
    album_artist: Annotated[str | None, _words("Album artist."), _tag("albumArtist")] = None
    composer: Annotated[str | None, _words("Composer."), _tag("composer")] = None
    genre: Annotated[str | None, _words("Genre."), _tag("genre")] = None
    date: Annotated[str | None, _words("Date, for example 2026-03-01 or 2026.", 32), _tag("date")] = None
    track: Annotated[str | None, _words("Track number, for example 3 or 3/12.", 16), _tag("track")] = None
    disc: Annotated[str | None, _words("Disc number, for example 1 or 1/2.", 16), _tag("disc")] = None
    comment: Annotated[str | None, _words("Comment; may have several lines.", MAX_COMMENT), _lines("comment")] = None
    lyrics: Annotated[str | None, _words("Lyrics; may have several lines.", MAX_LYRICS), _lines("lyrics")] = None
    custom: Annotated[
        dict[str, str] | None,
        Field(description="Further texts by names of your own, for programs that look for them."),
        _CUSTOM,
    ] = None
    id3_version: Annotated[
        Id3Version,
        Field(
            description="Of the tag: 2.3, the default, is shown by all players, 2.4 by the newer ones.",
            json_schema_extra=ADDED_LATER,
        ),
    ] = "2.3"

    @property
    def fields(self) -> dict[str, str]:
        """What is said of the fields that a source may have too, by their names here."""
        return self.model_dump(include=set(TAG_FIELDS), exclude_none=True)


TAG_FIELDS: Final = tuple(name for name in Tags.model_fields if name not in ("custom", "id3_version"))
"""Those of `Tags` that are copied from the source where they are unset."""
