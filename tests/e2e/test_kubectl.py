"""Conversions applied with kubectl."""

from pathlib import Path

import yaml

from tests.e2e import media
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release
from video2mp3_contracts import names


def manifest(name: str, file_id: str, account: Account, **spec: object) -> str:
    wanted = {"source": {"gridfs": {"fileId": file_id}}, "owner": account.email, "notify": {"email": account.email}}
    document = {
        "apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": {"name": name}, "spec": wanted | spec,
    }  # fmt: skip
    return yaml.safe_dump(document)


def test_a_conversion_applied_with_kubectl(release: Release, account: Account, tmp_path: Path) -> None:
    file_id = release.store_source(media.make_video(tmp_path / "talk.mp4", 3), account.email)
    release.kubectl("apply", "--filename=-", stdin=manifest("talk", file_id, account))
    release.kubectl("wait", "--for=condition=Ready", "conversion/talk", "--timeout=120s")
    assert_one_mp3_and_one_email(release, "talk", account)
    columns = release.kubectl("get", "conv", "talk").splitlines()
    assert columns[0].split() == ["NAME", "PHASE", "PROGRESS", "QUEUE", "ATTEMPTS", "REASON", "AGE"]
    assert columns[1].split()[:3] == ["talk", "Succeeded", "100"]


def test_applying_it_twice_changes_nothing(release: Release, account: Account, tmp_path: Path) -> None:
    file_id = release.store_source(media.make_video(tmp_path / "twice.mp4", 2), account.email)
    wanted = manifest("twice", file_id, account)
    apply = ("apply", "--server-side", "--filename=-")
    release.kubectl(*apply, stdin=wanted)
    finished = release.await_phase("twice", "Succeeded")
    release.kubectl(*apply, stdin=wanted)
    assert release.conversion("twice")["metadata"]["resourceVersion"] == finished["metadata"]["resourceVersion"]


def test_a_source_that_does_not_exist(release: Release, account: Account) -> None:
    release.kubectl("apply", "--filename=-", stdin=manifest("nothing", "0" * 24, account))
    status = release.await_phase("nothing", "Failed")["status"]
    assert status["reason"] == "SourceNotFound"
    assert release.objects("jobs", "video2mp3.dev/conversion=nothing") == []


def test_somebody_elses_source(release: Release, account: Account, other: Account, tmp_path: Path) -> None:
    file_id = release.store_source(media.make_video(tmp_path / "hers.mp4", 2), other.email)
    release.kubectl("apply", "--filename=-", stdin=manifest("his", file_id, account))
    assert release.await_phase("his", "Failed")["status"]["reason"] == "OwnerMismatch"
    assert release.has_source(file_id)


def test_an_invalid_conversion_is_refused_with_the_fields_name(release: Release, account: Account) -> None:
    broken = manifest("broken", "not-a-file-id", account, priority=5000)
    said = release.kubectl("apply", "--filename=-", stdin=broken, check=False)
    assert "spec.source.gridfs.fileId" in said
    assert "spec.priority" in said
