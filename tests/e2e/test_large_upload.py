"""An upload much larger than the gateway's memory."""

import re
from pathlib import Path

from tests.e2e import media
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release

GIBIBYTE = 1024**3
MEMORY_LIMIT = "128Mi"


def test_a_gigabyte_through_a_gateway_of_128_mebibytes(release: Release, account: Account, tmp_path: Path) -> None:
    """The file goes by curl, which streams it; the gateway's pod must not be ended for its memory on the way."""
    pods = release.pods("gateway")
    limits = [pod["spec"]["containers"][0]["resources"]["limits"]["memory"] for pod in pods]
    assert limits == [MEMORY_LIMIT] * len(pods)
    video = media.make_huge_video(tmp_path / "huge.mp4", GIBIBYTE)

    answer = release.upload_with_curl(account, video)
    assert re.fullmatch(r"[0-9a-f]{24}", answer["fileId"])
    assert_one_mp3_and_one_email(release, answer["conversion"], account)
    restarts = [pod["status"]["containerStatuses"][0]["restartCount"] for pod in release.pods("gateway")]
    before = [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods]
    assert restarts == before
