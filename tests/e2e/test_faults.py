"""Each part is killed or cut off at a bad moment; every conversion still ends with one mp3 and one email."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import media
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value


@pytest.fixture
def mail_server(release: Release) -> Iterator[Release]:
    """The mail server, which works again afterwards."""
    yield release
    release.mail_behaviour("accept")


def await_running_worker(release: Release, name: str) -> dict[str, Any]:
    """Wait until a worker of the Conversion has made some progress; answers the Conversion."""
    conversion = release.conversion(name)

    def look() -> dict[str, Any] | None:
        entry = release.ledger(conversion["metadata"]["uid"]) or {}
        assert "result" not in entry, "the conversion was over before it could be disturbed"
        return entry if entry.get("progress", {}).get("processedSeconds", 0) > 0 else None

    await_value(look, seconds=90, what="the worker reports progress")
    return conversion


def test_the_operator_is_killed_while_a_job_runs(release: Release, account: Account, long_video: Path) -> None:
    name = release.upload(account, long_video)["conversion"]
    conversion = await_running_worker(release, name)
    release.kill_pods("operator")
    assert_one_mp3_and_one_email(release, name, account)
    assert len(release.conversion(name)["status"]["attempts"]) == 1, conversion


def test_the_workers_pod_is_deleted_half_way(release: Release, account: Account, long_video: Path) -> None:
    name = release.upload(account, long_video)["conversion"]
    conversion = await_running_worker(release, name)
    uid = conversion["metadata"]["uid"]
    release.kubectl("delete", "pods", "--selector", f"video2mp3.dev/conversion-uid={uid}", "--wait=false")
    assert_one_mp3_and_one_email(release, name, account)


def test_the_workers_pod_is_killed_without_warning(release: Release, account: Account, long_video: Path) -> None:
    name = release.upload(account, long_video)["conversion"]
    uid = await_running_worker(release, name)["metadata"]["uid"]
    selector = f"video2mp3.dev/conversion-uid={uid}"
    release.kubectl("delete", "pods", "--selector", selector, "--grace-period=0", "--force")
    assert_one_mp3_and_one_email(release, name, account)


def test_rabbitmq_is_away_when_the_worker_wants_to_publish(release: Release, account: Account, tmp_path: Path) -> None:
    broker = f"statefulset/{release.component('rabbitmq')}"
    release.scale(broker, 0)
    try:
        name = release.upload(account, media.make_video(tmp_path / "quiet.mp4", 2))["conversion"]
        uid = release.conversion(name)["metadata"]["uid"]
        await_value(lambda: (release.ledger(uid) or {}).get("result"), seconds=90, what="the worker stored its result")
    finally:
        release.scale(broker, 1)
    assert_one_mp3_and_one_email(release, name, account)


def test_the_notifier_is_killed_between_claim_and_acknowledgement(
    mail_server: Release, account: Account, tmp_path: Path
) -> None:
    release = mail_server
    release.mail_behaviour("stall")
    name = release.upload(account, media.make_video(tmp_path / "claimed.mp4", 2))["conversion"]
    uid = release.conversion(name)["metadata"]["uid"]
    await_value(lambda: _claimed(release, uid), seconds=90, what="the notifier claims the send")
    release.kill_pods("notifier")
    release.mail_behaviour("accept")
    assert_one_mp3_and_one_email(release, name, account)


def _refused(release: Release, uid: str) -> bool:
    """Whether the notifier says that it puts this Conversion's message off."""
    log = release.kubectl("logs", f"deployment/{release.component('notifier')}", "--tail=200")
    return any("message_retried" in line and uid in line for line in log.splitlines())


def _claimed(release: Release, uid: str) -> bool:
    entry = release.ledger(uid) or {}
    return "claimedUntil" in entry.get("messages", {}).get("succeeded", {})


def test_the_mail_server_is_away_for_a_while(mail_server: Release, account: Account, tmp_path: Path) -> None:
    release = mail_server
    release.mail_behaviour("reject-temporarily")
    name = release.upload(account, media.make_video(tmp_path / "later.mp4", 2))["conversion"]
    uid = release.await_phase(name, "Succeeded")["metadata"]["uid"]
    await_value(lambda: _refused(release, uid), seconds=60, what="the notifier was refused and puts it off")
    assert release.emails_to(account.email) == []
    release.mail_behaviour("accept")
    assert_one_mp3_and_one_email(release, name, account)
