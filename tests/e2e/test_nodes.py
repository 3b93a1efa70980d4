"""Two nodes: one of them is drained, dies, or is cut off and comes back; every conversion ends as ever."""

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import media
from tests.e2e.nodes import Nodes, send
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value, build_conversion
from tests.e2e.test_network_policies import build_pod, worker_of
from tests.e2e.test_parallelism import digest
from video2mp3_contracts.api import names
from video2mp3_localcluster.images.catalogue import IMAGES
from video2mp3_localcluster.images.load import load_steps
from video2mp3_localcluster.node import second_node
from video2mp3_localcluster.node.addresses import FIRST, SECOND
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.steps import run_steps

NEEDED_IMAGES = ("worker", "operator")


@pytest.fixture(scope="module")
def two(release: Release) -> Iterator[Nodes]:
    """The cluster with a second node, which is taken away when these tests are over."""
    nodes = Nodes(release, NodeFiles())
    second_node.start(nodes.files)
    try:
        run_steps(load_steps(nodes.files, [image for image in IMAGES if image.name in NEEDED_IMAGES]))
        nodes.gather()
        yield nodes
    finally:
        second_node.remove(nodes.files)
        release.kubectl("uncordon", FIRST.name)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One whose conversion takes long enough to be halted."""
    return media.make_long_video(tmp_path_factory.mktemp("media") / "nodes.mp4", 20 * 60)


@pytest.fixture
def nodes(two: Nodes) -> Nodes:
    """Both nodes, well, whatever the test before did to them."""
    two.restore()
    return two


# With the public web there, the first node has an address that the second one has no way back to.
@pytest.mark.usefixtures("web")
def test_pods_on_the_second_node_are_reached_and_kept_by_policies_as_on_the_first(
    nodes: Nodes, release: Release
) -> None:
    [gateway] = release.pods("gateway")
    target = f"/dev/tcp/{gateway['status']['podIP']}/8080"
    nodes.only(SECOND.name)
    release.apply(build_pod("far-worker", worker_of(release.name)), build_pod("far-stranger", {}))
    try:
        release.kubectl("wait", "--for=condition=Ready", "pod/far-worker", "pod/far-stranger", "--timeout=60s")
        await_value(lambda: reaches(release, "far-stranger", target), seconds=30, what="a pod reaches the first node")
        await_value(lambda: not reaches(release, "far-worker", target), seconds=30, what="the policy holds")
        mongodb = f"/dev/tcp/{release.component('mongodb')}/27017"
        # By its name and Service, and let in by the first node's policies, which learn of the pod a moment later.
        await_value(lambda: reaches(release, "far-worker", mongodb), seconds=30, what="a worker reaches the first node")
    finally:
        release.kubectl("delete", "pod", "far-worker", "far-stranger", "--ignore-not-found")


def test_a_drained_node_costs_no_attempt(nodes: Nodes, release: Release, account: Account, video: Path) -> None:
    nodes.only(SECOND.name)
    uid = nodes.begin(account, video, "drained")
    pod = nodes.await_worker(uid, SECOND.name)
    nodes.only(FIRST.name)
    with ThreadPoolExecutor(1) as beside:
        drain = beside.submit(release.kubectl, "drain", SECOND.name, "--delete-emptydir-data", "--timeout=60s")
        await_value(lambda: is_going(nodes.workers(uid)), seconds=60, what="the worker's pod is evicted")
        nodes.resume(pod)
        drain.result()
    conversion = assert_one_mp3_and_one_email(release, "drained", account)
    first, last = attempts(conversion)
    assert first in [(SECOND.name, "Disrupted"), (SECOND.name, "Stopped")]
    assert last == (FIRST.name, "Succeeded")


def test_the_parts_of_a_sound_are_made_on_both_nodes(
    nodes: Nodes, release: Release, account: Account, video: Path
) -> None:
    other = release.create_account()
    nodes.begin(other, video, "by-one")
    expected = digest(release, assert_one_mp3_and_one_email(release, "by-one", other))
    nodes.begin(account, video, "by-both", parallelism=2)
    conversion = assert_one_mp3_and_one_email(release, "by-both", account)
    assert sorted(attempts(conversion)) == [(FIRST.name, "Succeeded"), (SECOND.name, "Succeeded")]
    assert digest(release, conversion) == expected


def test_a_node_that_is_cut_off_comes_back_with_its_worker_when_all_is_done(
    nodes: Nodes, release: Release, account: Account, video: Path
) -> None:
    nodes.only(SECOND.name)
    uid = nodes.begin(account, video, "cut-off")
    pod = nodes.await_worker(uid, SECOND.name)
    # When it comes back, it is to be at work still, and nobody is to stop it.
    send(signal.SIGSTOP, [nodes.kubelet()])
    nodes.cut()
    nodes.only(FIRST.name)
    release.await_phase("cut-off", "Succeeded", seconds=180)
    nodes.mend()
    nodes.resume(pod)
    await_value(lambda: "attempt ended" in nodes.said(pod), seconds=60, what="the old worker ends by itself")
    assert "result_stored" not in nodes.said(pod)
    send(signal.SIGCONT, [nodes.kubelet()])

    release.kubectl("wait", "--for=delete", f"pod/{pod['metadata']['name']}", "--timeout=60s")
    conversion = assert_one_mp3_and_one_email(release, "cut-off", account)
    assert attempts(conversion) == [(SECOND.name, "Lost"), (FIRST.name, "Succeeded")]
    assert nodes.workers(uid) == []


def test_a_node_that_dies_loses_no_conversion(nodes: Nodes, release: Release, account: Account, video: Path) -> None:
    nodes.only(SECOND.name)
    uid = nodes.begin(account, video, "lost")
    pod = nodes.await_worker(uid, SECOND.name)
    token = (release.ledger(uid) or {})["attempt"]["token"]
    nodes.kill()
    nodes.only(FIRST.name)
    conversion = assert_one_mp3_and_one_email(release, "lost", account)
    assert attempts(conversion) == [(SECOND.name, "Lost"), (FIRST.name, "Succeeded")]
    assert (release.ledger(uid) or {})["attempt"]["token"] != token
    left = nodes.workers(uid)
    assert [(each["metadata"]["uid"], each["status"]["phase"]) for each in left] == [
        (pod["metadata"]["uid"], "Running")
    ]
    assert is_going(left), "nobody is left on the node to end it"


@pytest.mark.parametrize("strike", [Nodes.kill, Nodes.cut], ids=["dies", "is-cut-off"])
def test_a_standby_takes_over_when_the_node_of_the_leader(
    nodes: Nodes, release: Release, account: Account, video: Path, strike: Callable[[Nodes], None]
) -> None:
    lead_from_the_second(nodes, release)
    file_id = release.store_source(video, account.email)
    name = f"taken-over-{strike.__name__}"
    strike(nodes)
    release.apply(build_conversion(name, account, file_id))
    await_value(lambda: leader_node(release) == FIRST.name, seconds=60, what="the standby leads")
    await_value(lambda: name in job_names(release), seconds=30, what="it starts what is new")
    assert_one_mp3_and_one_email(release, name, account)
    # Whoever led comes back, and finds that another one does.
    nodes.restore()
    operator = f"deployment/{release.component('operator')}"
    release.kubectl("rollout", "status", operator, "--timeout=100s")
    assert leader_node(release) == FIRST.name
    assert len(release.conversion(name)["status"]["attempts"]) == 1


def test_operators_come_back_on_the_other_node_when_their_own_dies(
    nodes: Nodes, release: Release, account: Account, video: Path
) -> None:
    nodes.only(SECOND.name)
    operator = f"deployment/{release.component('operator')}"
    release.kubectl("rollout", "restart", operator)
    release.kubectl("rollout", "status", operator, "--timeout=60s")
    await_value(
        lambda: operators(release) == {SECOND.name}, seconds=60, what="the operators are on the second node alone"
    )
    nodes.only(FIRST.name)
    uid = nodes.begin(account, video, "orphaned")
    pod = nodes.await_worker(uid, FIRST.name)
    nodes.kill()
    await_value(lambda: operators(release) == {FIRST.name}, seconds=90, what="operators on the other node")
    nodes.resume(pod)
    conversion = assert_one_mp3_and_one_email(release, "orphaned", account)
    assert attempts(conversion) == [(FIRST.name, "Succeeded")]


def operators(release: Release) -> set[str]:
    """Where operators run that nobody has deleted."""
    alive = [pod for pod in release.pods("operator") if not is_going([pod])]
    return {pod["spec"].get("nodeName", "") for pod in alive}


def leader_node(release: Release) -> str:
    """Where the operator runs that leads, as its Lease says; "" where its pod is gone."""
    lease = json.loads(release.kubectl("get", "lease", f"{release.name}-leader", "--output", "json"))
    pod = str(lease["spec"]["holderIdentity"]).partition("_")[0]
    return next(
        (each["spec"].get("nodeName", "") for each in release.pods("operator") if each["metadata"]["name"] == pod), ""
    )


def lead_from_the_second(nodes: Nodes, release: Release) -> None:
    """One operator on each node, and the one on the second leads."""
    operator = f"deployment/{release.component('operator')}"
    leader = release.kubectl("get", "lease", f"{release.name}-leader", "--output=jsonpath={.spec.holderIdentity}")
    pods = {pod["metadata"]["name"] for pod in release.pods("operator")}
    for where, going in ((SECOND, pods - {leader.partition("_")[0]}), (FIRST, {leader.partition("_")[0]})):
        nodes.only(where.name)
        release.kubectl("delete", "pod", *going)
        release.kubectl("rollout", "status", operator, "--timeout=100s")
    await_value(lambda: leader_node(release) == SECOND.name, seconds=60, what="the one on the second node leads")


def job_names(release: Release) -> set[str]:
    """The Conversions that have Jobs."""
    return {job["metadata"]["labels"].get(names.LABEL_CONVERSION, "") for job in release.objects("jobs")}


def is_going(pods: list[dict[str, Any]]) -> bool:
    """Whether a pod was deleted and is there still."""
    return any("deletionTimestamp" in pod["metadata"] for pod in pods)


def attempts(conversion: dict[str, Any]) -> list[tuple[str, str]]:
    """Of each attempt: where it was made, and how it ended."""
    return [(each["node"], each["reason"]) for each in conversion["status"]["attempts"]]


def reaches(release: Release, pod: str, target: str) -> bool:
    """Whether a pod opens a connection."""
    script = f"timeout 3 bash -c ': <{target}' 2>/dev/null && echo reached || true"
    return release.kubectl("exec", pod, "--", "bash", "-c", script).strip() == "reached"
