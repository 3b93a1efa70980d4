"""ConversionSets and ConversionClasses on a real cluster, whose garbage collector has a word in it."""

import io
import json
from pathlib import Path
from typing import Any

from mutagen.mp3 import MP3

from tests.e2e import media
from tests.e2e.release import Account, Release, await_value
from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_set import LABEL_SET


def build_set(name: str, account: Account, *files: str, **spec: Any) -> dict[str, Any]:
    common = {"owner": account.email, "notify": {"email": account.email}, "className": "speech"}
    sources = [{"gridfs": {"fileId": file}} for file in files]
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.SET_KIND,
        "metadata": {"name": name},
        "spec": {"template": {"spec": common}, "sources": sources} | spec,
    }


def children(release: Release, name: str) -> list[dict[str, Any]]:
    return release.objects("conversions", f"{LABEL_SET}={name}")


def test_a_set_of_a_class_is_converted_waited_for_and_deleted(
    release: Release, account: Account, tmp_path: Path
) -> None:
    videos = [media.make_video(tmp_path / f"{hertz}.mp4", 3, hertz=hertz) for hertz in (220, 440, 880)]
    files = [release.store_source(video, account.email) for video in videos]
    release.kubectl("apply", "--filename=-", stdin=json.dumps(build_set("talks", account, *files, parallelism=2)))
    release.kubectl("wait", "conversionset/talks", "--for=condition=Complete", "--timeout=180s")
    row = release.kubectl("get", "conversionsets", "--no-headers").split()
    assert row[:6] == ["talks", "Succeeded", "3", "0", "3", "0"]
    made = children(release, "talks")
    assert {each["status"]["resolved"]["className"] for each in made} == {"speech"}
    for each in made:
        mp3 = MP3(io.BytesIO(release.mp3(each["status"]["output"]["fileId"])))
        assert mp3.info is not None
        assert mp3.info.channels == 1
    assert len(release.await_emails(account.email)) >= 1
    uids = [each["metadata"]["uid"] for each in made]
    release.kubectl("delete", "conversionset", "talks")
    gone = await_value(lambda: True if not children(release, "talks") else None, seconds=120, what="they went")
    assert gone
    assert [release.mp3s_of(uid) for uid in uids] == [[], [], []]


def test_the_charts_classes_are_there_and_one_is_the_default(release: Release) -> None:
    listed = json.loads(release.kubectl("get", "conversionclasses", "--output=json"))["items"]
    marked = {each["metadata"]["name"]: bool(each["metadata"].get("annotations")) for each in listed}
    assert marked == {"default": True, "music": False, "podcast": False, "speech": False}


def test_a_set_with_a_bad_source_says_which(release: Release, account: Account, tmp_path: Path) -> None:
    good = release.store_source(media.make_video(tmp_path / "good.mp4", 3), account.email)
    silent = release.store_source(media.make_video(tmp_path / "silent.mp4", 3, sound=False), account.email)
    release.kubectl("apply", "--filename=-", stdin=json.dumps(build_set("mixed", account, good, silent)))
    release.kubectl("wait", "conversionset/mixed", "--for=condition=Failed", "--timeout=180s")
    status = json.loads(release.kubectl("get", "conversionset", "mixed", "--output=json"))["status"]
    [failure] = status["failures"]
    assert (failure["source"], failure["reason"]) == (silent, "NoAudio")
    assert (status["counts"]["succeeded"], status["counts"]["failed"]) == (1, 1)
