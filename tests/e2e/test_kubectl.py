"""Conversions applied with kubectl."""

import json
import re
import subprocess
from pathlib import Path

import yaml

from tests.e2e import media
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value, build_conversion
from tests.kubectl_table import rows
from video2mp3_contracts.api import names

LARGE_BYTES = 200 * 1024**2
"""Of a video: more than the pod's memory."""


def manifest(name: str, file_id: str, account: Account, **spec: object) -> str:
    return yaml.safe_dump(build_conversion(name, account, file_id, **spec))


def test_a_conversion_applied_with_kubectl(release: Release, account: Account, tmp_path: Path) -> None:
    file_id = release.store_source(media.make_video(tmp_path / "talk.mp4", 3), account.email)
    release.kubectl("apply", "--filename=-", stdin=manifest("applied", file_id, account))
    release.kubectl("wait", "--for=condition=Ready", "conversion/applied", "--timeout=120s")
    assert_one_mp3_and_one_email(release, "applied", account)


def test_a_success_as_the_reference_shows_it(release: Release, account: Account, tmp_path: Path) -> None:
    file_id = release.store_source(media.make_video(tmp_path / "shown.mp4", 3), account.email)
    release.kubectl("apply", "--filename=-", stdin=manifest("shown", file_id, account))
    release.kubectl("wait", "--for=condition=Ready", "conversion/shown", "--timeout=120s")
    row = shown(release, "shown")
    age = row.pop("AGE")
    assert re.fullmatch(r"[0-9ms]+", age)
    output = release.conversion("shown")["status"]["output"]
    assert row == {
        "NAME": "shown",
        "PHASE": "Succeeded",
        "PROGRESS": "100",
        "QUEUE": "",
        "ATTEMPTS": "1",
        "REASON": "Succeeded",
        "OUTPUT": output["fileId"],
        "DURATION": f"{output['durationSeconds']:g}",
        "OWNER": account.email,
        "CLASS": "default",
    }
    job = names.job_name("shown", release.conversion("shown")["metadata"]["uid"])
    assert told(release, "shown") == [
        ("Normal", "Starting", f"Its Job {job} exists and its pod is on the way."),
        ("Normal", "Succeeded", f"shown.mp3 is stored as {output['fileId']}."),
    ]


def test_a_failure_as_the_reference_shows_it(release: Release, account: Account, tmp_path: Path) -> None:
    """Who waits for the end, whichever it is, is told of it; the events tell the story once and in sentences."""
    file_id = release.store_source(media.make_video(tmp_path / "silent.mp4", 3, sound=False), account.email)
    release.kubectl("apply", "--filename=-", stdin=manifest("silent", file_id, account))
    release.kubectl("wait", "--for=jsonpath={.status.completionTime}", "conversion/silent", "--timeout=120s")
    row = shown(release, "silent")
    assert (row["PHASE"], row["REASON"], row["ATTEMPTS"], row["OUTPUT"]) == ("Failed", "NoAudio", "1", "")
    message = "The file has no sound: there is no audio track in it."
    kinds = [(kind, reason) for kind, reason, _ in told(release, "silent")]
    assert kinds == [("Normal", "Starting"), ("Warning", "AttemptFailed"), ("Warning", "NoAudio")]
    assert [note for _, _, note in told(release, "silent")][1:] == [f"Attempt 1 (NoAudio): {message}", message]
    described = release.kubectl("describe", "conversion", "silent")
    assert message in described
    assert not [line for line in described.splitlines() if re.fullmatch(r"\s+(Detail|Message):\s*", line)]


def test_a_failure_is_tried_anew_as_the_reference_says(release: Release, account: Account, tmp_path: Path) -> None:
    """The garbage collector and the Job controller have a word in it: the second Job has the name of the first."""
    file_id = release.store_source(media.make_video(tmp_path / "again.mp4", 3, sound=False), account.email)
    release.kubectl("apply", "--filename=-", stdin=manifest("again", file_id, account))
    release.kubectl("wait", "--for=condition=Failed", "conversion/again", "--timeout=120s")
    for value in ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z"):
        release.kubectl("annotate", "--overwrite", "conversion/again", f"{names.ANNOTATION_RETRY}={value}")
        handled = f"--for=jsonpath={{.status.lastHandledRetryAt}}={value}"
        release.kubectl("wait", handled, "conversion/again", "--timeout=120s")
        release.kubectl("wait", "--for=condition=Failed", "conversion/again", "--timeout=120s")
    status = release.conversion("again")["status"]
    assert [(each["number"], each["reason"]) for each in status["attempts"]] == [
        (1, "NoAudio"),
        (2, "NoAudio"),
        (3, "NoAudio"),
    ]
    assert status["attemptsBeforeRetry"] == 2


def test_suspending_and_resuming_as_the_reference_says(release: Release, account: Account, tmp_path: Path) -> None:
    file_id = release.store_source(media.make_video(tmp_path / "draft.mp4", 3), account.email)
    release.kubectl("apply", "--filename=-", stdin=manifest("draft", file_id, account, suspend=True))
    release.kubectl("wait", "--for=condition=Ready", "conversion/draft", "--timeout=60s")
    row = shown(release, "draft")
    assert (row["PHASE"], row["REASON"], row["PROGRESS"], row["ATTEMPTS"]) == ("Suspended", "Suspended", "", "")
    release.kubectl("patch", "conversion", "draft", "--type=merge", "--patch", '{"spec": {"suspend": false}}')
    assert release.await_phase("draft", "Succeeded")["status"]["attempts"][0]["number"] == 1


def shown(release: Release, name: str) -> dict[str, str]:
    """The row of `kubectl get -o wide`."""
    return rows(release.kubectl("get", "conversions", "--output=wide"))[name]


def told(release: Release, name: str) -> list[tuple[str, str, str]]:
    """Type, reason and message of each Event about a Conversion, once the last of them has come."""
    uid = release.conversion(name)["metadata"]["uid"]
    listed = ("get", "events", "--field-selector", f"involvedObject.uid={uid}", "--output=json")

    def look() -> list[tuple[str, str, str]] | None:
        items = json.loads(release.kubectl(*listed))["items"]
        verdict = release.conversion(name)["status"]["reason"]
        # Their times are whole seconds, and several are posted at once: the verdict is the last of its second.
        items.sort(key=lambda each: (each["firstTimestamp"], each["reason"] == verdict))
        found = [(each["type"], each["reason"], each["message"]) for each in items]
        return found if found and found[-1][1] == verdict else None

    return await_value(look, seconds=30, what=f"the events of {name}")


def test_a_source_stored_as_the_reference_says(release: Release, tmp_path: Path) -> None:
    reference = (Path(__file__).parents[2] / "docs" / "conversion.md").read_text().replace("\\\n", "")
    [arguments] = re.findall(r"^kubectl (exec --stdin .*) < talk.mp4$", reference, re.MULTILINE)
    arguments = arguments.replace("--namespace video2mp3 ", f"--namespace {release.namespace} ")
    owner = Account("you@example.com", "")
    video = media.make_huge_video(tmp_path / "talk.mp4", LARGE_BYTES)
    argv = [release.kubectl_program, "--kubeconfig", release.kubeconfig, "--namespace", release.namespace]
    with video.open("rb") as content:
        stored = subprocess.run(
            [*argv, *arguments.split()], stdin=content, capture_output=True, timeout=120, check=True
        )
    release.kubectl("apply", "--filename=-", stdin=manifest("stored", stored.stdout.decode().strip(), owner))
    assert release.await_phase("stored", "Succeeded")["status"]["output"]["filename"] == "stored.mp3"


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
