"""Notes are cut, never refused, wherever they are read."""

import pytest
from pydantic import ValidationError

from video2mp3_contracts.api.crd import definition
from video2mp3_contracts.api.status import OutputReport
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_contracts.ledger.moves import adopt
from video2mp3_contracts.messaging.message import ConversionRef
from video2mp3_contracts.messaging.notes import MAX_NOTE_LENGTH, MAX_NOTES

MADE = {
    "fileId": "a" * 24,
    "filename": "talk.mp3",
    "bytes": 1,
    "durationSeconds": 1,
    "sha256": "0" * 64,
    "encoding": "",
}


def test_a_result_from_before_there_were_notes_has_none() -> None:
    assert OutputReport.model_validate(MADE).notes == ()


def test_more_and_longer_notes_than_there_is_room_for_are_cut() -> None:
    noted = OutputReport.model_validate(MADE | {"notes": ["x" * 2000, "y" * MAX_NOTE_LENGTH] + ["more"] * 100}).notes
    assert len(noted) == MAX_NOTES
    assert noted[:3] == ("x" * (MAX_NOTE_LENGTH - 1) + "…", "y" * MAX_NOTE_LENGTH, "more")


@pytest.mark.parametrize("notes", ["a sentence", [1], {"note": "x"}])
def test_what_are_no_notes_is_refused(notes: object) -> None:
    with pytest.raises(ValidationError, match="notes"):
        OutputReport.model_validate(MADE | {"notes": notes})


def test_the_api_server_knows_the_bounds() -> None:
    root = definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    notes = root["properties"]["status"]["properties"]["output"]["properties"]["notes"]
    assert (notes["maxItems"], notes["items"]["type"]) == (MAX_NOTES, "string")
    assert notes["items"]["maxLength"] == MAX_NOTE_LENGTH


def test_who_takes_an_mp3_over_gets_its_notes() -> None:
    noted = OutputReport.model_validate(MADE | {"notes": ["The cover is left out."]})
    move = adopt(ConversionRef(uid="new", namespace="media", name="talk"), "", LedgerEntry(uid="old", result=noted))
    assert LedgerEntry.model_validate({"_id": "new"} | move.update["$set"]).result == noted
