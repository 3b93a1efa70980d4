"""What belongs to somebody else is not there for you."""

from pathlib import Path

import pytest

from tests.e2e import media
from tests.e2e.release import Account, Release

GARBAGE = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhQGV4YW1wbGUuY29tIn0."


def test_another_users_conversion_and_file_are_not_there(
    release: Release, account: Account, other: Account, tmp_path: Path
) -> None:
    answer = release.upload(account, media.make_video(tmp_path / "mine.mp4", 2))
    finished = release.await_phase(answer["conversion"], "Succeeded")
    stranger = release.login(other)
    download = f"/download?fid={finished['status']['output']['fileId']}"
    conversion = f"/conversions/{answer['conversion']}"

    for method, path in [("GET", download), ("HEAD", download), ("GET", conversion), ("DELETE", conversion)]:
        assert release.request(method, path, headers=stranger).status_code == 404, (method, path)
    assert release.request("GET", "/conversions", headers=stranger).json()["conversions"] == []
    missing = release.request("GET", f"/download?fid={'0' * 24}", headers=stranger).json()
    theirs = release.request("GET", download, headers=stranger).json()
    assert {**missing, "requestId": ""} == {**theirs, "requestId": ""}
    assert release.request("GET", download, headers=release.login(account)).status_code == 200


def test_without_a_valid_token_nothing_is_answered_or_stored(release: Release, tmp_path: Path) -> None:
    video = media.make_video(tmp_path / "nobody.mp4", 1)
    before = release.mongodb["videos"]["fs.files"].estimated_document_count()
    for headers in ({}, {"Authorization": f"Bearer {GARBAGE}"}):
        with video.open("rb") as content:
            upload = release.request("POST", "/upload", headers=dict(headers), files={"file": content})
        assert upload.status_code == 401
        assert upload.headers["Content-Type"] == "application/problem+json"
        assert release.request("GET", "/conversions", headers=dict(headers)).status_code == 401
    assert release.mongodb["videos"]["fs.files"].estimated_document_count() == before


def test_a_wrong_password_and_an_unknown_account_get_the_same_answer(release: Release, account: Account) -> None:
    answers = [
        release.request("POST", "/login", auth=(email, "wrong")) for email in (account.email, "nobody@example.com")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    bodies = [{**answer.json(), "requestId": ""} for answer in answers]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("path", ["/metrics", "/no/such/path"])
def test_through_the_ingress_unknown_paths_are_problems_and_metrics_is_one(release: Release, path: str) -> None:
    answer = release.request("GET", path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not-found"
