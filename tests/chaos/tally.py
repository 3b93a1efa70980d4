"""What became of every upload, from what was told and what was found. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from tests.chaos.plan import Kill, Kind


class Answer(StrEnum):
    """What the client was told of an upload."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """By the gateway, in its own words: nothing is stored."""

    UNANSWERED = "unanswered"
    """The connection broke, or a proxy answered: it may be stored or not, and both are right."""


@dataclass(frozen=True)
class Upload:
    """One video that was sent. `mp3` is the name of the mp3, which no other upload has."""

    number: int
    owner: str
    mp3: str
    answer: Answer
    told: str = ""
    """The Conversion's name, or why not."""


@dataclass(frozen=True)
class Found:
    """A Conversion at the end."""

    name: str
    uid: str
    owner: str
    mp3: str
    phase: str
    reason: str = ""
    file_id: str = ""


@dataclass(frozen=True)
class Mail:
    """An email that the mail server took."""

    message_id: str
    to: str
    subject: str


@dataclass(frozen=True)
class Ending:
    """What was found when all was settled, or the time was up."""

    conversions: Sequence[Found] = ()
    mails: Sequence[Mail] = ()
    mp3_counts: Mapping[str, int] = field(default_factory=dict)
    """Of mp3s in the store by the uid of their Conversion."""

    wrong: Mapping[str, str] = field(default_factory=dict)
    """What was wrong with a download, by the mp3's name."""

    swept: Mapping[str, int] = field(default_factory=dict)
    """What was left for the sweep of orphans, by kind."""

    left: Mapping[str, int] = field(default_factory=dict)
    """What was left after it."""

    unsettled: str = ""
    """What was not settled when the time was up."""

    settled_seconds: float = 0.0


@dataclass(frozen=True)
class Tally:
    """All counts. Everything in `faults` should not have happened."""

    kills: Mapping[str, Mapping[str, int]]
    answers: Mapping[str, int]
    faults: Mapping[str, Sequence[str]]
    """Each with the names of what it happened to."""

    notes: Mapping[str, int]
    ending: Ending

    @property
    def is_clean(self) -> bool:
        """Whether nothing happened that should not have."""
        return not self.ending.unsettled and not any(self.faults.values()) and not any(self.ending.left.values())


UNDONE: Final = "not struck"
"""A blow that found nobody, or whose time did not come."""


def tally(planned: Sequence[Kill], struck: Sequence[Kill], uploads: Sequence[Upload], ending: Ending) -> Tally:
    """Count."""
    by_mp3: dict[str, list[Found]] = {}
    for each in ending.conversions:
        by_mp3.setdefault(each.mp3, []).append(each)
    refused = {each.mp3 for each in uploads if each.answer is Answer.REFUSED}
    kills = _kills(planned, struck)
    again, mails_doubled = _doubled_mails(by_mp3, ending.mails)
    faults = {
        "conversions lost": list(_lost(uploads, by_mp3)),
        "conversions wrong": [f"{mp3}: {why}" for mp3, why in sorted(ending.wrong.items())],
        "conversions doubled": list(_doubled(by_mp3, ending.mp3_counts)),
        "conversions of refused uploads": sorted(refused & set(by_mp3)),
        "mails missing": list(_untold(ending.conversions, ending.mails)),
        "mails doubled": mails_doubled,
        # Where nothing happened, nothing is shown.
        "kinds planned and never struck": list(_spared(kills)),
        "runs without a conversion": [] if ending.conversions else ["this one"],
    }
    notes = {"mails delivered again under one Message-ID": again}
    return Tally(kills, Counter(each.answer for each in uploads), faults, notes, ending)


def _kills(planned: Sequence[Kill], struck: Sequence[Kill]) -> dict[str, Counter[str]]:
    """How often each kind was struck, by the manner, and how often it was not although it was planned."""
    counted: dict[str, Counter[str]] = {}
    for kill in planned:
        counted.setdefault(kill.kind, Counter())[kill.manner if kill in struck else UNDONE] += 1
    return counted


def _spared(kills: Mapping[str, Counter[str]]) -> Iterable[str]:
    """Kinds that were to be struck and never were; a worker may be too quick for its killer."""
    for kind, how in kills.items():
        if how.keys() <= {UNDONE} and kind != Kind.WORKER:
            yield kind


def _lost(uploads: Iterable[Upload], by_mp3: Mapping[str, list[Found]]) -> Iterable[str]:
    """What was accepted, or is there after all, and did not become an mp3. What was refused is none that is awaited."""
    for each in uploads:
        if each.answer is Answer.REFUSED:
            continue
        found = by_mp3.get(each.mp3, [])
        if not found and each.answer is Answer.ACCEPTED:
            yield f"{each.mp3}: {each.told} is gone"
        yield from (f"{each.mp3}: {one.phase} {one.reason}" for one in found if one.phase != "Succeeded")


def _doubled(by_mp3: Mapping[str, list[Found]], mp3_counts: Mapping[str, int]) -> Iterable[str]:
    for mp3, found in by_mp3.items():
        if len(found) > 1:
            yield f"{mp3}: {len(found)} Conversions"
        yield from (f"{mp3}: {mp3_counts[one.uid]} mp3s" for one in found if mp3_counts.get(one.uid, 0) > 1)


def _untold(conversions: Iterable[Found], mails: Sequence[Mail]) -> Iterable[str]:
    for each in conversions:
        if each.phase in ("Succeeded", "Failed") and not any(_is_about(mail, each.mp3) for mail in mails):
            yield f"{each.mp3} of {each.owner}"


def _doubled_mails(by_mp3: Mapping[str, list[Found]], mails: Sequence[Mail]) -> tuple[int, list[str]]:
    """How many mails came again under the Message-ID of another, and what was told by more than one Message-ID."""
    again = len(mails) - len({mail.message_id for mail in mails})
    told = {mp3: {mail.message_id for mail in mails if _is_about(mail, mp3)} for mp3 in by_mp3}
    return again, [f"{mp3}: {len(ids)} mails" for mp3, ids in told.items() if len(ids) > len(by_mp3[mp3])]


def _is_about(mail: Mail, mp3: str) -> bool:
    return mp3 in mail.subject
