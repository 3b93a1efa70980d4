"""A long sound that several pods share: an Indexed Job on a real cluster, whose mp3 is that of one pod."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value, build_conversion
from video2mp3_contracts.api import names

PARTS = 3
INDEX = "batch.kubernetes.io/job-completion-index"


@pytest.fixture(scope="module")
def digest_of_one(release: Release, long_video: Path) -> str:
    """The digest of what one pod makes of the long video."""
    conversion = converted(release, release.create_account(), long_video, "of-one")
    return digest(release, conversion)


def test_three_pods_make_the_mp3_of_one_though_one_of_them_is_killed(
    release: Release, account: Account, long_video: Path, digest_of_one: str
) -> None:
    uid = begin(release, account, long_video, "of-three", parallelism=PARTS)
    before = await_worker(release, uid, "1")
    killed = f"{names.LABEL_CONVERSION_UID}={uid},{INDEX}=1"
    release.kubectl("delete", "pods", "--selector", killed, "--grace-period=0", "--force", "--wait=false")
    assert "fileId" not in parts(release, uid)["1"], "the part was over before its worker could be killed"
    [job] = release.objects("jobs", f"{names.LABEL_CONVERSION_UID}={uid}")
    assert (job["spec"]["completionMode"], job["spec"]["completions"]) == ("Indexed", PARTS)

    conversion = assert_one_mp3_and_one_email(release, "of-three", account)
    assert digest(release, conversion) == digest_of_one
    assert parts(release, uid)["1"]["token"] != before
    assert [part for part, _ in attempts(conversion)] == [0, 1, 1, 2]
    assert [part for part, reason in attempts(conversion) if reason == "Succeeded"] == [0, 1, 2]


def test_a_sound_is_divided_where_that_is_left_to_its_duration(
    release: Release, account: Account, long_video: Path, digest_of_one: str
) -> None:
    conversion = converted(release, account, long_video, "of-some", parallelism="auto")
    assert digest(release, conversion) == digest_of_one
    assert len(parts(release, conversion["metadata"]["uid"])) == PARTS
    assert attempts(conversion) == [(None, "Divided"), (0, "Succeeded"), (1, "Succeeded"), (2, "Succeeded")]


def begin(release: Release, account: Account, video: Path, name: str, **spec: object) -> str:
    """Apply a Conversion of a video; answers its uid."""
    file_id = release.store_source(video, account.email)
    release.apply(build_conversion(name, account, file_id, **spec))
    uid: str = release.conversion(name)["metadata"]["uid"]
    return uid


def converted(release: Release, account: Account, video: Path, name: str, **spec: object) -> dict[str, Any]:
    """The Conversion of a video, when it is over."""
    begin(release, account, video, name, **spec)
    return assert_one_mp3_and_one_email(release, name, account)


def digest(release: Release, conversion: dict[str, Any]) -> str:
    """Of the mp3 as it is stored, which is the one that the status tells."""
    output = conversion["status"]["output"]
    found = hashlib.sha256(release.mp3(output["fileId"])).hexdigest()
    assert found == output["sha256"]
    return found


def attempts(conversion: dict[str, Any]) -> list[tuple[int | None, str]]:
    """Of each attempt, in the parts' order: its part, and how it ended."""
    found = [(each.get("part"), each["reason"]) for each in conversion["status"]["attempts"]]
    return sorted(found, key=lambda each: -1 if each[0] is None else each[0])


def parts(release: Release, uid: str) -> dict[str, Any]:
    """What the ledger says of each part, by its number."""
    found: dict[str, Any] = (release.ledger(uid) or {}).get("parts", {})
    return found


def await_worker(release: Release, uid: str, part: str) -> str:
    """Wait until a part has a worker, whatever the others have; answers its token."""

    def token() -> str | None:
        found: str | None = parts(release, uid).get(part, {}).get("token")
        return found

    return await_value(token, seconds=90, what=f"part {part} has a worker")
