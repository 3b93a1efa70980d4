"""The REST API through the ingress, as a person with curl uses it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e import media
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release

MONTH = timedelta(days=30)


def test_one_id_leads_from_the_upload_through_every_log(release: Release, account: Account, tmp_path: Path) -> None:
    request_id = f"call-{account.email}"
    answer = release.upload(account, media.make_video(tmp_path / "traced.mp4", 2), {"X-Request-Id": request_id})
    conversion = assert_one_mp3_and_one_email(release, answer["conversion"], account)

    assert conversion["metadata"]["annotations"]["video2mp3.dev/request-id"] == request_id
    assert (release.ledger(conversion["metadata"]["uid"]) or {})["requestId"] == request_id
    for component, event in {
        "gateway": "upload_accepted",
        "operator": "conversion_finished",
        "notifier": "message_done",
    }.items():
        lines = [line for line in release.log_lines(component) if line.get("request_id") == request_id]
        assert event in {line["event"] for line in lines}, component


def test_a_part_of_the_mp3_can_be_asked_for(release: Release, account: Account, tmp_path: Path) -> None:
    answer = release.upload(account, media.make_video(tmp_path / "range.mp4", 3))
    conversion = release.await_phase(answer["conversion"], "Succeeded")
    path = f"/download?fid={conversion['status']['output']['fileId']}"
    headers = release.login(account)
    whole = release.request("GET", path, headers=headers)
    part = release.request("GET", path, headers=headers | {"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert (
        whole.headers["Content-Disposition"].endswith('range.mp3"')
        or "range.mp3" in whole.headers["Content-Disposition"]
    )
    again = release.request("GET", path, headers=headers | {"If-None-Match": whole.headers["ETag"]})
    assert again.status_code == 304


def test_deleting_a_conversion_removes_its_files(release: Release, account: Account, tmp_path: Path) -> None:
    answer = release.upload(account, media.make_video(tmp_path / "gone.mp4", 2))
    conversion = assert_one_mp3_and_one_email(release, answer["conversion"], account)
    headers = release.login(account)
    assert release.request("DELETE", f"/conversions/{answer['conversion']}", headers=headers).status_code == 204
    release.kubectl("wait", "--for=delete", f"conversion/{answer['conversion']}", "--timeout=60s")
    assert release.mp3s_of(conversion["metadata"]["uid"]) == []
    path = f"/download?fid={conversion['status']['output']['fileId']}"
    assert release.request("GET", path, headers=headers).status_code == 404


def test_until_when_the_mp3_is_kept_is_told(release: Release, account: Account, tmp_path: Path) -> None:
    answer = release.upload(account, media.make_video(tmp_path / "kept.mp4", 2))
    assert answer["ttlSecondsAfterFinished"] == MONTH.total_seconds()
    assert_one_mp3_and_one_email(release, answer["conversion"], account)
    shown = release.request("GET", f"/conversions/{answer['conversion']}", headers=release.login(account)).json()
    finished_at, expires_at = (datetime.fromisoformat(shown[key]) for key in ("finishedAt", "expiresAt"))
    assert expires_at - finished_at == MONTH
    [email] = release.emails_to(account.email)
    [told] = re.findall(r"It is kept until (.+) UTC, and then deleted\.", email["text"])
    early = expires_at - datetime.strptime(told, "%d %B %Y, %H:%M").replace(tzinfo=UTC)
    assert timedelta(0) <= early < timedelta(minutes=5)


NOT_CONVERTIBLE = {
    "no sound": (lambda path: media.make_video(path, 2, sound=False), "NoAudio"),
    "cut short": (lambda path: _cut(media.make_video(path, 20)), "Truncated"),
    "no media": (lambda path: _write(path, b"This is a letter, not a film.\n" * 400), "NotMedia"),
}


@pytest.mark.parametrize(("make", "reason"), NOT_CONVERTIBLE.values(), ids=NOT_CONVERTIBLE)
def test_what_cannot_be_converted_fails_at_once_and_says_why(  # type: ignore[no-untyped-def]
    release: Release, account: Account, tmp_path: Path, make, reason: str
) -> None:
    answer = release.upload(account, make(tmp_path / "bad.mp4"))
    conversion = release.await_phase(answer["conversion"], "Failed")
    status = conversion["status"]
    assert status["reason"] == reason
    assert len(status["attempts"]) == 1
    assert status["message"].endswith(".")
    emails = release.await_emails(account.email)
    assert [status["message"] in email["text"] for email in emails] == [True]
    assert release.mp3s_of(conversion["metadata"]["uid"]) == []


def _cut(path: Path) -> Path:
    """Keep the index at the front and drop most of the media."""
    content = path.read_bytes()
    return _write(path, content[: len(content) // 3])


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
