"""Sources on the web, fetched by real workers: what is served from the public internet, and what stays out of reach."""

import hashlib
from pathlib import Path

from tests.e2e import media
from tests.e2e.outcome import assert_nothing_left, assert_one_mp3_and_one_email
from tests.e2e.public_web import PublicWeb
from tests.e2e.release import Account, Release, build_conversion
from tests.web_server import StoredFile, redirect

API_SERVER = "kubernetes.default.svc.cluster.local"


def test_a_video_on_a_server_that_redirects_and_breaks_off(
    release: Release, account: Account, web: PublicWeb, tmp_path: Path
) -> None:
    content = media.make_video(tmp_path / "interview.mp4", 60).read_bytes()
    url = web.serve("/latest", redirect("/2026/interview.mp4"))
    web.serve("/2026/interview.mp4", StoredFile(content, cuts=[len(content) // 2]))
    source = {"url": url, "sha256": hashlib.sha256(content).hexdigest()}

    release.apply(build_conversion("interview", account, source))

    assert_one_mp3_and_one_email(release, "interview", account)
    ranges = [headers.get("Range") for headers in web.requests("/2026/interview.mp4")]
    assert ranges == [None, f"bytes={len(content) // 2}-"]


def test_what_is_not_fetched(release: Release, account: Account, web: PublicWeb) -> None:
    """A name may be on the list and lead inside: to the API server, to MongoDB, or where a good server redirects."""
    below = f"{release.namespace}.svc.cluster.local"
    mongodb = f"{release.component('mongodb')}.{below}"
    urls = {
        "unnamed": "https://media.example.com/talk.mp4",
        "api-server": f"https://{API_SERVER}/api/v1/secrets",
        "mongodb": f"http://{mongodb}/",
        "inside": f"http://{web.host_inside}/talk.mp4",
        "redirected": web.serve("/inside", redirect(f"http://{web.host_inside}/talk.mp4")),
        "elsewhere": web.serve("/elsewhere", redirect("https://media.example.com/talk.mp4")),
        "unknown": f"http://nobody.{below}/talk.mp4",
        "missing": f"http://{web.host}/missing.mp4",
    }
    release.apply(*(build_conversion(name, account, {"url": url}) for name, url in urls.items()))

    ended = {name: release.await_phase(name, "Failed") for name in urls}

    unnamed = (
        "This installation does not fetch from media.example.com: worker.urlSources.allowedHosts does not name it."
    )
    assert {name: (each["status"]["reason"], each["status"]["message"]) for name, each in ended.items()} == {
        "unnamed": ("SourceNotAllowed", unnamed),
        "api-server": ("SourceNotAllowed", f"{API_SERVER} has no address in the public internet."),
        "mongodb": ("SourceNotAllowed", f"{mongodb} has no address in the public internet."),
        "inside": ("SourceNotAllowed", f"{web.host_inside} has no address in the public internet."),
        "redirected": ("SourceNotAllowed", f"{web.host_inside} has no address in the public internet."),
        "elsewhere": ("SourceNotAllowed", f"{web.host} redirects elsewhere. {unnamed}"),
        "unknown": ("SourceNotFound", f"There is no host named nobody.{below}."),
        "missing": ("SourceNotFound", f"{web.host} has no file at that address (it answered 404)."),
    }
    assert web.requests("/talk.mp4") == []
    assert "attempts" not in ended["unnamed"]["status"]
    for each in ended.values():
        assert_nothing_left(release, each["metadata"]["uid"])
