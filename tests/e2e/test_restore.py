"""Everything is lost but a backup: rehearsed with the chart, by the commands of docs/operations.md as they stand there.

The mail server is new afterwards as well, so whatever it takes is new.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.commands_of_a_page import OPERATIONS, commands
from tests.disaster import store_unwanted
from tests.e2e import media
from tests.e2e.administrator import Administrator
from tests.e2e.installed import access_of_tests, installed
from tests.e2e.later import sweep_later
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value
from video2mp3_localcluster.demo import mail_server
from video2mp3_localcluster.images.references import image_references

pytestmark = pytest.mark.timeout(1500)
NAMESPACE = "video2mp3-restore"


@pytest.fixture(scope="module")
def doomed() -> Iterator[Release]:
    """A release of its own, which does not outlive the test's first half."""
    with installed(NAMESPACE, "restore.video2mp3.test") as release:
        yield release


class Done(NamedTuple):
    """A conversion that is over."""

    account: Account
    name: str
    file_id: str
    mp3: bytes


def convert(release: Release, account: Account, video: Path) -> Done:
    conversion = release.await_phase(release.upload(account, video)["conversion"], "Succeeded")
    file_id = conversion["status"]["output"]["fileId"]
    return Done(account, conversion["metadata"]["name"], file_id, download(release, release.login(account), file_id))


def download(release: Release, headers: dict[str, str], file_id: str) -> bytes:
    answer = release.request("GET", f"/download?fid={file_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.content


def suspended_upload(release: Release, account: Account, video: Path) -> str:
    """An upload that waits; answers its Conversion's name."""
    operator = f"deployment/{release.component('operator')}"
    release.scale(operator, 0)
    name = str(release.upload(account, video)["conversion"])
    suspend(release, name, "true")
    release.scale(operator, 1)
    release.await_phase(name, "Suspended")
    return name


def suspend(release: Release, name: str, value: str) -> None:
    patch = f'{{"spec": {{"suspend": {value}}}}}'
    release.kubectl("patch", "conversion", name, "--type=merge", "--patch", patch)


def await_all_told(release: Release, done: list[Done]) -> None:
    for each in done:
        uid = release.conversion(each.name)["metadata"]["uid"]

        def told(uid: str = uid) -> Any:
            return (release.ledger(uid) or {}).get("messages", {}).get("succeeded", {}).get("sentAt")

        await_value(told, seconds=150, what=f"{each.account.email} was told of {each.name}")


def lose_everything(release: Release, administrator: Administrator) -> None:
    """The release, its namespace, and the volumes with all that was stored; no operator sees the Conversions go."""
    release.scale(f"deployment/{release.component('operator')}", 0)
    assert " patched\n" in remove_everything(release, administrator)


def remove_everything(release: Release, administrator: Administrator) -> str:
    """By the book; answers what it said."""
    release.mongodb.close()
    said = administrator.type(commands(OPERATIONS.read_text(), "Remove everything")[0])
    await_value(lambda: volumes(release) == [], seconds=60, what="the volumes are gone")
    return said


def volumes(release: Release) -> list[str]:
    every = release.objects("persistentvolumes")
    return [each["metadata"]["name"] for each in every if each["spec"]["claimRef"]["namespace"] == release.namespace]


def restore(release: Release, administrator: Administrator, aliases: str, script: str) -> None:
    """Type it all; the mail server, which is no part of the release, is there before that is."""
    first, _, rest = script.partition("\n")
    administrator.type(first)
    release.apply(*mail_server.build_mail_server(image_references()[mail_server.NAME]))
    administrator.type(aliases + rest)
    release.apply(access_of_tests(release.name))
    release.kubectl("rollout", "status", f"deployment/{mail_server.NAME}", "--timeout=100s")


def test_a_restore_by_the_book_loses_nothing_and_tells_nobody_again(doomed: Release, tmp_path: Path) -> None:
    accounts = [doomed.create_account(), doomed.create_account()]
    videos = [media.make_video(tmp_path / f"{n}.mp4", 2 + n, hertz=300 + 100 * n) for n in range(4)]
    done = [convert(doomed, account, video) for account in accounts for video in videos[:2]]
    waiting = suspended_upload(doomed, accounts[0], videos[3])
    await_all_told(doomed, done)
    headers = {account.email: doomed.login(account) for account in accounts}
    backup, again = commands(OPERATIONS.read_text(), "Back up and restore")
    administrator = Administrator(doomed, tmp_path)
    administrator.type(backup)

    lose_everything(doomed, administrator)
    with pytest.raises(AssertionError):
        doomed.conversion(waiting)
    aliases = "".join(f"{line}\n" for line in backup.splitlines() if line.startswith("alias "))
    release = replace(doomed)
    restore(release, administrator, aliases, again)
    try:
        assert_all_there(release, done, waiting, headers)
        sweep_weeks_later(release)
        assert_all_there(release, done, waiting, headers)
        suspend(release, waiting, "false")
        # One email to this account since the restore, and it is about this one.
        assert_one_mp3_and_one_email(release, waiting, accounts[0])
        assert release.emails_to(accounts[1].email) == []
    finally:
        release.mongodb.close()
    # Its operator is there, and lets go of them itself.
    assert " patched\n" not in remove_everything(release, administrator)


def assert_all_there(release: Release, done: list[Done], waiting: str, headers: dict[str, dict[str, str]]) -> None:
    for each in done:
        status = release.await_phase(each.name, "Succeeded")["status"]
        assert status["output"]["fileId"] == each.file_id
        # With the old token, and with the old password.
        for who in (headers[each.account.email], release.login(each.account)):
            assert download(release, who, each.file_id) == each.mp3
        [other] = [one for email, one in headers.items() if email != each.account.email]
        assert release.request("GET", f"/download?fid={each.file_id}", headers=other).status_code == 404
        assert len(release.mp3s_of(release.conversion(each.name)["metadata"]["uid"])) == 1
    release.await_phase(waiting, "Suspended")
    assert release.has_source(release.conversion(waiting)["spec"]["source"]["gridfs"]["fileId"])
    assert release.objects("jobs", "app.kubernetes.io/component=worker") == []
    assert release.emails() == []


def sweep_weeks_later(release: Release) -> None:
    """An upload that nothing wants goes, which shows that the sweep has been through."""
    moment = datetime.now(UTC) - timedelta(days=2)
    unwanted = store_unwanted(release.mongodb, "a@example.com", f"{release.namespace}/{release.name}", moment)
    halted = sweep_later(release, confirm=False)
    # The old cluster was seen in the week before.
    assert set(halted.values()) <= {"shared"}
    assert not release.has_source(unwanted)
