"""What must be true at the end of every conversion, whatever happened on the way."""

from typing import Any

from tests.e2e.release import Account, Release, await_value

EMAIL_SECONDS = 150


def assert_one_mp3_and_one_email(release: Release, name: str, account: Account) -> dict[str, Any]:
    """One mp3, one email that names it, no source, no stray chunk, no Job that still runs; answers the Conversion."""
    conversion = release.await_phase(name, "Succeeded", seconds=240)
    uid = conversion["metadata"]["uid"]
    file_id = conversion["status"]["output"]["fileId"]

    await_value(lambda: release.emails_to(account.email), seconds=EMAIL_SECONDS, what=f"an email to {account.email}")
    entry = await_value(
        lambda: _sent(release, uid), seconds=EMAIL_SECONDS, what="the notifier has marked the email as sent"
    )
    emails = release.emails_to(account.email)
    assert [file_id in email["text"] for email in emails] == [True]
    assert [str(mp3["_id"]) for mp3 in release.mp3s_of(uid)] == [file_id]
    assert entry["result"]["fileId"] == file_id
    if stored := conversion["spec"]["source"].get("gridfs"):
        assert not release.has_source(stored["fileId"])
    assert release.orphaned_chunks("mp3s") == []
    await_value(lambda: no_job_left(release, uid), seconds=120, what="the Conversion's Job is gone")
    return conversion


def _sent(release: Release, uid: str) -> dict[str, Any] | None:
    entry = release.ledger(uid) or {}
    return entry if entry.get("messages", {}).get("succeeded", {}).get("sentAt") else None


def no_job_left(release: Release, uid: str) -> bool:
    """Whether no Job of a Conversion exists any more."""
    return not release.objects("jobs", f"video2mp3.dev/conversion-uid={uid}")


def assert_nothing_left(release: Release, uid: str) -> None:
    """Of a Conversion that failed: no mp3, no stray chunk, no Job."""
    assert release.mp3s_of(uid) == []
    assert release.orphaned_chunks("mp3s") == []
    await_value(lambda: no_job_left(release, uid), seconds=120, what="the Conversion's Job is gone")
