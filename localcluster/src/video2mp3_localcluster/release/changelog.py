"""The changelog, in the format of Keep a Changelog: what is new is cut off as a release of its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

UNRELEASED: Final = "Unreleased"
_SECTION: Final = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
_KINDS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")


class ChangelogError(Exception):
    """The changelog is not as it should be; the text is for the person who makes the release."""


@dataclass(frozen=True)
class Entry:
    """One change, as one line."""

    kind: str
    """One of Keep a Changelog's six, in lower case."""
    text: str


def versions(text: str) -> list[str]:
    """The released versions, the newest first."""
    return [match[1] for match in _SECTION.finditer(text) if match[1] != UNRELEASED]


def section(text: str, version: str) -> str:
    """What stands below a version's heading, without it. Raises ChangelogError where there is none."""
    found = list(_SECTION.finditer(text))
    for position, match in enumerate(found):
        if match[1] == version:
            end = found[position + 1].start() if position + 1 < len(found) else len(text)
            return text[match.end() : end].strip()
    raise ChangelogError(f"the changelog has no section [{version}]")


def entries(part: str) -> list[Entry]:
    """The changes of a section. Raises ChangelogError for a heading that the format does not know."""
    return list(_entries(part))


def _entries(part: str) -> Iterator[Entry]:
    for block in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
        kind, _, body = block.partition("\n")
        if kind.strip() not in _KINDS:
            raise ChangelogError(f"'{kind.strip()}' is no heading of Keep a Changelog: {', '.join(_KINDS)}")
        for item in re.split(r"^- ", body, flags=re.MULTILINE)[1:]:
            yield Entry(kind.strip().lower(), _LINK.sub(r"\1", " ".join(item.split())))


def cut(text: str, version: str, date: str) -> str:
    """The changelog with what is unreleased under a version and its date. Raises ChangelogError where nothing is."""
    if version in versions(text):
        raise ChangelogError(f"{version} is in the changelog already")
    if not entries(section(text, UNRELEASED)):
        raise ChangelogError("the changelog says nothing under Unreleased: there is nothing to release")
    return text.replace(f"## [{UNRELEASED}]\n", f"## [{UNRELEASED}]\n\n## [{version}] - {date}\n", 1)
