"""A release of then is installed, upgraded to this one while people upload, and rolled back while they go on.

By the commands of docs/operations.md as they stand there, from real images of then: see
`video2mp3_localcluster.programs.earlier_release`.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from tests.chaos import stock
from tests.chaos.ending import Finish, Inbox
from tests.chaos.load import Load
from tests.chaos.run import speaker
from tests.chaos.stock import Stock
from tests.chaos.table import table
from tests.chaos.tally import Answer, tally
from tests.commands_of_a_page import OPERATIONS, commands
from tests.e2e import media
from tests.e2e.administrator import VALUES, Administrator
from tests.e2e.installed import installed
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value, build_conversion
from video2mp3_contracts.api import names
from video2mp3_localcluster.images.references import chart_values
from video2mp3_localcluster.steps.layout import NodeFiles, repository_root

pytestmark = pytest.mark.timeout(1500)
NAMESPACE: Final = "video2mp3-upgrade"
CRD: Final = repository_root() / "crds" / f"{names.CRD_NAME}.yaml"
RUNNING: Final = 2
"""Conversions at a time, by values-of-then.yaml."""

LONG_SECONDS: Final = 90 * 60
"""Of media: its conversion goes on when the operator is replaced, half a minute after Helm has begun."""

PEOPLE: Final = 2
SETTLE_SECONDS: Final = 300
IN_TURN_SECONDS: Final = 240


@pytest.fixture(scope="module")
def then() -> Iterator[Release]:
    """The earlier release. Its definition of a Conversion is the whole cluster's: afterwards it is today's again."""
    values = Path(__file__).with_name("values-of-then.yaml")
    host = "upgrade.video2mp3.test"
    with installed(NAMESPACE, host, values=values, earlier=True, policies=[names_on_another_port()]) as release:
        # Its cluster knew no other kinds: those that are there belong to releases of other tests.
        release.kubectl(
            "delete", "crd", "--ignore-not-found", *(each for each in definitions() if each != names.CRD_NAME)
        )
        try:
            yield release
        finally:
            define(release, today())


def names_on_another_port() -> dict[str, Any]:
    """What a cluster whose CoreDNS has no low port needed then: the policies of the release had no other than 53."""
    egress = [{"ports": [{"port": 1053, "protocol": protocol} for protocol in ("UDP", "TCP")]}]
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": egress}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "names"}, "spec": spec}


class Asked(NamedTuple):
    """A conversion that somebody waits for."""

    account: Account
    name: str
    document: dict[str, Any]
    """As it is applied; empty where the gateway made it."""


def definitions() -> list[str]:
    """The names of all of today's definitions."""
    return [file.stem for file in CRD.parent.glob("*.yaml")]


def today() -> dict[str, Any]:
    definition: dict[str, Any] = yaml.safe_load(CRD.read_text())
    return definition


def define(release: Release, definition: dict[str, Any]) -> None:
    """Apply a definition in Helm's name, so that it and Helm's stay one."""
    stored = json.loads(release.kubectl("get", "crd", names.CRD_NAME, "--output", "json"))["metadata"]
    kept = {field: stored.get(field, {}) for field in ("labels", "annotations")}
    document = definition | {"metadata": definition["metadata"] | kept}
    argv = ("apply", "--server-side", "--force-conflicts", "--field-manager=helm", "--filename=-")
    release.kubectl(*argv, stdin=json.dumps(document))


def curl(release: Release, *arguments: str) -> bytes:
    argv = ["curl", "-sS", "--fail-with-body", "--max-time", "120", "-H", f"Host: {release.host}", *arguments]
    return subprocess.run(argv, capture_output=True, check=True, timeout=150).stdout


def bearer_of(release: Release, account: Account) -> str:
    login = ("-X", "POST", "-u", f"{account.email}:{account.password}", f"{release.url}/login")
    return f"Authorization: Bearer {curl(release, *login).decode().strip()}"


def upload(release: Release, video: Path) -> Asked:
    """By the calls of the README, for somebody new."""
    account = release.create_account()
    sent = ("-X", "POST", "-F", f"file=@{video}", "-H", bearer_of(release, account), f"{release.url}/upload")
    return Asked(account, json.loads(curl(release, *sent))["conversion"], {})


def planned(release: Release, name: str, video: Path, **spec: object) -> Asked:
    """A Conversion for somebody new, to be applied; its source is there already."""
    account = release.create_account()
    document = build_conversion(name, account, release.store_source(video, account.email), **spec)
    return Asked(account, name, document)


def resume(release: Release, name: str) -> None:
    release.kubectl("patch", "conversion", name, "--type=merge", "--patch", '{"spec": {"suspend": false}}')


class Kept:
    """An mp3 that somebody has had for long."""

    def __init__(self, release: Release, asked: Asked) -> None:
        conversion = assert_one_mp3_and_one_email(release, asked.name, asked.account)
        self._file_id = conversion["status"]["output"]["fileId"]
        self._account = asked.account
        self._bearer = bearer_of(release, asked.account)
        self._mp3 = self._download(release, self._bearer)

    def _download(self, release: Release, bearer: str) -> bytes:
        return curl(release, "-H", bearer, f"{release.url}/download?fid={self._file_id}")

    def assert_still_there(self, release: Release) -> None:
        """With the token of before, and with the password."""
        for bearer in (self._bearer, bearer_of(release, self._account)):
            assert self._download(release, bearer) == self._mp3
        assert len(release.emails_to(self._account.email)) == 1


@contextmanager
def people_uploading(release: Release, folder: Path, label: str) -> Iterator[Load]:
    """They have begun when the block begins, and have had an answer after its end before they stop."""
    load = Load(release, [release.create_account() for _ in range(PEOPLE)], 4.0, folder, label)
    load.start()
    try:
        await_more(load)
        yield load
        await_more(load)
    finally:
        load.stop()


def await_more(load: Load) -> None:
    """Everybody gets one more video accepted, at least."""
    wanted = accepted(load) + 2 * PEOPLE
    await_value(lambda: accepted(load) >= wanted, seconds=120, what="uploads are accepted")


def accepted(load: Load) -> int:
    return sum(each.answer is Answer.ACCEPTED for each in load.uploads)


def assert_none_lost(release: Release, load: Load, before: Stock, others: Sequence[dict[str, Any]]) -> None:
    """Every upload is one right mp3 and one email, and nothing is left over but what `others` have."""
    files = {f"mp3s/{each['status']['output']['fileId']}" for each in others}
    known = replace(
        before,
        files=before.files | files,
        entries=before.entries | {each["metadata"]["uid"] for each in others},
        jobs=before.jobs | {each["metadata"]["uid"] for each in users_jobs(release)},
    )
    finish = Finish(release, NodeFiles(), load.accounts, known, Inbox(release))
    counted = tally([], [], load.uploads, finish.look(load.uploads, SETTLE_SECONDS, speaker()))
    assert counted.is_clean, table(counted)
    # Who is not accepted is told so by the gateway, and may send the video again.
    assert [each for each in load.uploads if each.answer is Answer.UNANSWERED] == []


def users_jobs(release: Release) -> list[dict[str, Any]]:
    return release.objects("jobs", "app.kubernetes.io/component=mongodb-users")


def assert_right(release: Release, asked: Sequence[Asked]) -> list[dict[str, Any]]:
    for each in asked:
        release.await_phase(each.name, "Succeeded", seconds=IN_TURN_SECONDS)
    return [assert_one_mp3_and_one_email(release, each.name, each.account) for each in asked]


class Videos(NamedTuple):
    short: Path
    long: Path


def test_an_upgrade_and_the_way_back_lose_nothing(then: Release, tmp_path: Path) -> None:
    long = media.make_long_video(tmp_path / "long.mp4", LONG_SECONDS)
    videos = Videos(media.make_video(tmp_path / "short.mp4", 3), long)
    forth = commands(OPERATIONS.read_text(), "Upgrade")
    back = commands(OPERATIONS.read_text(), "Go back")
    administrator = Administrator(then, tmp_path)
    kept = Kept(then, upload(then, videos.short))

    with under_way(then, "forth", videos):
        name_images(tmp_path / VALUES)
        for block in forth:
            administrator.type(block)
    kept.assert_still_there(then)
    assert_a_newer_ones_field_waits(then, videos.short)
    with under_way(then, "back", videos):
        for block in back:
            administrator.type(block)
    kept.assert_still_there(then)


def name_images(values: Path) -> None:
    """Of today's services, in the values of then."""
    values.write_text(yaml.safe_dump(yaml.safe_load(values.read_text()) | chart_values()))


@contextmanager
def under_way(release: Release, label: str, videos: Videos) -> Iterator[None]:
    """Work of every kind: what runs, waits or is suspended, and people who upload. Nothing of it is lost in the end."""
    before = stock.take(release)
    draft = planned(release, f"draft-{label}", videos.short, suspend=True)
    waiting = planned(release, f"waiting-{label}", videos.short, priority=-1)
    running = [planned(release, f"running-{label}-{n}", videos.long, priority=1) for n in range(RUNNING)]
    with tempfile.TemporaryDirectory() as folder, people_uploading(release, Path(folder), label) as load:
        release.apply(*(each.document for each in (draft, *running)))
        for each in running:
            release.await_phase(each.name, "Running")
        # Not before: it would take a place that is free.
        release.apply(waiting.document)
        release.await_phase(waiting.name, "Queued")
        release.await_phase(draft.name, "Suspended")
        yield
    release.await_phase(draft.name, "Suspended")
    resume(release, draft.name)
    others = assert_right(release, [*running, waiting, draft])
    assert_none_lost(release, load, before, others)


def assert_a_newer_ones_field_waits(release: Release, video: Path) -> None:
    """It is neither failed nor told of, until somebody brings the definition that this operator knows."""
    newer = today()
    [version] = newer["spec"]["versions"]
    version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["mood"] = {"type": "string"}
    define(release, newer)
    asked = planned(release, "newer", video, mood="blue")
    release.apply(asked.document)

    def waits() -> bool:
        status = release.conversion(asked.name)["status"]
        assert status["phase"] != "Failed", status
        return bool(status["reason"] == "InvalidSpec")

    # A definition that changes may leave a watch deaf, which is opened again after 70 s.
    await_value(waits, seconds=90, what="the operator has looked at it")
    assert release.emails_to(asked.account.email) == []
    define(release, today())
    # The Conversion is none that has changed, so no watch tells of it.
    operator = f"deployment/{release.component('operator')}"
    release.kubectl("rollout", "restart", operator)
    release.kubectl("rollout", "status", operator, "--timeout=100s")
    assert_right(release, [asked])
