"""A record gives back what a row shows, and nothing of what an account can make large."""

import hashlib
import json
import tracemalloc

import pytest

from tests.builders import ConversionBuilder, a_conversion
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_gateway.conversions_cache.index import ConversionIndex
from video2mp3_gateway.conversions_cache.records import record_of
from video2mp3_gateway.web.representations import Links, conversion_representation

LINKS = Links("")
MOMENT = "2026-03-01T12:01:03Z"
PROGRESS = {
    "percent": 40,
    "processedSeconds": 12.5,
    "durationSeconds": 31.25,
    "speed": 61.0,
    "etaSeconds": 1.5,
    "updatedAt": MOMENT,
}

RESOLVED = {
    "className": "speech",
    "classGeneration": 2,
    "fixed": ["ttlSecondsAfterFinished"],
    "output": {"filename": "talk.mp3", "channels": "mono"},
    "defaults": {"ttlSecondsAfterFinished": 600, "retryLimit": 1},
    "worker": {"nodeSelector": {"pool": "audio"}},
}

COMPLETE = {
    "type": "Complete",
    "status": "True",
    "lastTransitionTime": MOMENT,
    "reason": "Succeeded",
    "message": "The mp3 is stored.",
}


def done(number: int = 0, owner: str = "a@example.com") -> ConversionBuilder:
    """One that has all that a finished one has, each with ids of its own."""
    output = {
        "fileId": f"{number * 7919:024x}",
        "filename": f"Räuber {number}.mp3",
        "bytes": 68157440 + number,
        "durationSeconds": 3605.2,
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "encoding": "vbr:2",
        "notes": ["The cover in stream 2 is neither JPEG nor PNG: it is left out."],
    }
    attempts = [{"number": 1, "pod": f"upload-{number}-x7k2p", "startTime": MOMENT, "reason": "Succeeded"}]
    name = f"upload-{number * 104729:024x}"
    builder = a_conversion(name).owned_by(owner).with_spec(source={"gridfs": {"fileId": name[-24:]}}).succeeded()
    return builder.with_status(
        message="The mp3 is stored.",
        progress=PROGRESS,
        output=output,
        attempts=attempts,
        startTime=MOMENT,
        completionTime=MOMENT,
    )


@pytest.mark.parametrize(
    "builder",
    [
        a_conversion(),
        a_conversion().with_spec(output={"filename": "Kürzer “x”.mp3"}),
        a_conversion().with_spec(source={"gridfs": None, "url": "https://example.com/a.mp4"}),
        a_conversion().with_spec(ttlSecondsAfterFinished=60, timeouts={"runSeconds": 5}),
        a_conversion().with_status(phase="Queued", queue={"position": 3, "since": MOMENT}),
        a_conversion().with_status(phase="Running", startTime=MOMENT, progress=PROGRESS),
        a_conversion().failed(),
        a_conversion().deleted(),
        done(),
        a_conversion().with_spec(className="music"),
        done().with_spec(ttlSecondsAfterFinished=60),
        done().with_status(resolved=RESOLVED),
        done().with_spec(ttlSecondsAfterFinished=60).with_status(resolved=RESOLVED),
        done().with_spec(ttlSecondsAfterFinished=60).with_status(resolved=RESOLVED | {"fixed": []}),
        done().with_spec(ttlSecondsAfterFinished=60).with_metadata(labels={"argocd.argoproj.io/instance": "mp3"}),
        done()
        .with_spec(ttlSecondsAfterFinished=60)
        .with_metadata(annotations={"argocd.argoproj.io/tracking-id": "mp3:video2mp3.dev/Conversion:people/talk"}),
        done().with_spec(ttlSecondsAfterFinished=60).with_status(completionTime=None, conditions=[COMPLETE]),
    ],
)
def test_the_row_is_the_same(builder: ConversionBuilder) -> None:
    document = builder.versioned(7).document
    record = record_of(document)
    conversion = record.conversion()
    assert conversion is not None
    assert conversion_representation(conversion, LINKS) == conversion_representation(
        Conversion.model_validate(document), LINKS
    )
    assert (record.name, record.owner, record.version) == (conversion.metadata.name, "a@example.com", 7)


def test_one_without_a_status_is_pending() -> None:
    document = a_conversion().document
    del document["status"]
    conversion = record_of(document).conversion()
    assert conversion is not None
    assert conversion.status.phase == "Pending"


@pytest.mark.parametrize(
    "builder", [a_conversion().with_spec(colour=1), a_conversion().with_status(startTime="0000-01-01T00:00:00Z")]
)
def test_what_cannot_be_read_is_no_conversion(builder: ConversionBuilder) -> None:
    assert record_of(builder.document).conversion() is None


def test_nobody_makes_a_record_large() -> None:
    large = "".join(json.dumps(number) for number in range(30_000))
    document = (
        a_conversion()
        .with_metadata(annotations={"large": large}, labels={"large": large}, managedFields=[{"manager": large}])
        .with_spec(output={"tags": {"lyrics": large}})
        .with_status(
            conditions=[{"message": large}],
            attempts=[{"detail": large}],
            resolved=RESOLVED | {"output": {"tags": {"lyrics": large}}},
        )
        .document
    )
    assert len(record_of(document).packed) < 500
    url = "https://example.com/?signature=" + "".join(hashlib.sha256(bytes([each])).hexdigest() for each in range(30))
    assert len(record_of(a_conversion().with_spec(source={"gridfs": None, "url": url}).document).packed) < 500


def test_what_a_hundred_thousand_need() -> None:
    """Counted for 5,000: under 1,000 bytes each, the index included, is under 100 MB for 100,000."""
    count = 5000
    documents = [done(number, f"account-{number % 20}@example.com").document for number in range(count)]
    tracemalloc.start()
    try:
        index = ConversionIndex()
        for document in documents:
            index.put(record_of(document))
        used, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(index) == count
    assert used / count < 1000
