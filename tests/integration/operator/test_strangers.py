"""What other people's clusters do to workers' Jobs and pods, told to a real API server as their parts would tell it."""

import pytest

from tests.integration.operator.cluster import SECONDS, Cluster, Document, now
from tests.integration.operator.operator_process import OperatorProcess
from tests.integration.operator.test_disruptions import attempts, start
from tests.servers.process import await_condition
from video2mp3_contracts.jobs.worker import TerminationMessage

NO_AUDIO = TerminationMessage(exit_code=65, reason="NoAudio", message="The video has no sound.")
CRASH = {"exitCode": 1, "reason": "Error", **dict.fromkeys(("startedAt", "finishedAt"), "2026-03-01T12:00:00Z")}
QUOTA = 'pods "talk-x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5'


def keep(cluster: Cluster, pod: str) -> None:
    """Another container keeps the pod running, whatever its worker did."""
    cluster.api("PATCH", f"{cluster._pods}/{pod}/status", {"status": {"phase": "Running"}})


def jobs(cluster: Cluster, name: str) -> set[str]:
    return {job["metadata"]["uid"] for job in cluster.jobs(name)}


@pytest.mark.parametrize("name", ["talk.2026.03", "a." * 31 + "a", "x" * 63])
def test_any_name_may_be_shared_among_pods(cluster: Cluster, operator: OperatorProcess, name: str) -> None:
    """The API server checks the host names of an Indexed Job's pods."""
    cluster.convert(name, parallelism=16)
    assert cluster.await_job(name)["spec"]["completions"] == 16


def test_a_policy_that_refuses_jobs_is_waited_for(cluster: Cluster, operator: OperatorProcess) -> None:
    """It answers by the same code as the schema does, and somebody may change it."""
    policy = f"refuse-{cluster.namespace}"
    path = "/apis/admissionregistration.k8s.io/v1"
    rules = [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}]
    selector = {"matchLabels": {"kubernetes.io/metadata.name": cluster.namespace}}
    spec: Document = {
        "matchConstraints": {"resourceRules": rules, "namespaceSelector": selector},
        "validations": [{"expression": "false", "message": "no Jobs on a Sunday"}],
    }
    cluster.api("POST", f"{path}/validatingadmissionpolicies", {"metadata": {"name": policy}, "spec": spec})
    binding = {"metadata": {"name": policy}, "spec": {"policyName": policy, "validationActions": ["Deny"]}}
    cluster.api("POST", f"{path}/validatingadmissionpolicybindings", binding)
    probe: Document = {
        "metadata": {"generateName": "probe-"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}},
    }
    probes = f"/apis/batch/v1/namespaces/{cluster.namespace}/jobs"
    await_condition(
        lambda: not cluster.api.request("POST", f"{probes}?dryRun=All", probe).ok,
        seconds=SECONDS,
        what="the policy was not enforced",
    )
    name = cluster.convert()
    status = cluster.await_status(name, lambda status: "no Jobs on a Sunday" in status.get("message", ""))
    assert status["phase"] == "Queued"
    cluster.api("DELETE", f"{path}/validatingadmissionpolicybindings/{policy}")
    cluster.api("DELETE", f"{path}/validatingadmissionpolicies/{policy}")
    cluster.await_job(name)


def test_a_used_up_quota_is_a_queue_in_its_words(cluster: Cluster, operator: OperatorProcess) -> None:
    """The Job controller tells it by an Event, and by nothing else."""
    name = cluster.convert()
    job = cluster.await_job(name)
    event: Document = {
        "metadata": {"generateName": f"{name}-", "namespace": cluster.namespace},
        "involvedObject": {"apiVersion": "batch/v1", "kind": "Job", "namespace": cluster.namespace}
        | {each: job["metadata"][each] for each in ("name", "uid")},
        "type": "Warning",
        "reason": "FailedCreate",
        "message": f"Error creating: {QUOTA}",
        "lastTimestamp": now(),
    }
    cluster.api("POST", f"/api/v1/namespaces/{cluster.namespace}/events", event)
    cluster.wait(name)
    words = f"Its pod finds no room in the namespace: {QUOTA}"
    status = cluster.await_status(name, lambda status: status.get("message") == words)
    assert status["reason"] == "Queued"
    start(cluster, name)


def test_a_success_whose_pod_a_sidecar_keeps_leaves_no_job(cluster: Cluster, operator: OperatorProcess) -> None:
    name = cluster.convert()
    cluster.await_job(name)
    pod = start(cluster, name)
    cluster.work(name, pod=pod)
    cluster.set_pod(pod, terminated=CRASH | {"exitCode": 0})
    keep(cluster, pod)
    cluster.await_reason(name, "Succeeded")
    await_condition(lambda: cluster.jobs(name) == [], seconds=SECONDS, what="its Job did not go")


def test_a_failure_whose_pod_a_sidecar_keeps_is_told_or_followed(cluster: Cluster, operator: OperatorProcess) -> None:
    crashed, silent = cluster.convert("crashed"), cluster.convert("silent")
    first = {name: cluster.await_job(name)["metadata"]["uid"] for name in (crashed, silent)}
    for name, state in ((crashed, CRASH), (silent, cluster.ended(NO_AUDIO))):
        pod = start(cluster, name)
        cluster.set_pod(pod, terminated=state)
        keep(cluster, pod)
        cluster.wait(name)
    cluster.await_reason(silent, "NoAudio")
    await_condition(
        lambda: jobs(cluster, crashed) not in (set(), {first[crashed]}), seconds=SECONDS, what="no other Job followed"
    )


def test_a_pod_on_a_lost_node_makes_way_and_its_job_is_followed(cluster: Cluster, operator: OperatorProcess) -> None:
    """Its Node object stays, so nobody ever says that the pod is gone."""
    name = cluster.convert(retryLimit=0)
    first = cluster.await_job(name)["metadata"]["uid"]
    pod = start(cluster, name)
    answer = cluster.api.request("DELETE", f"{cluster._pods}/{pod}?gracePeriodSeconds=1")
    assert answer.ok
    cluster.wait(name)
    cluster.await_status(
        name, lambda status: [each["reason"] for each in status.get("attempts", [])] == ["Lost"], seconds=3 * SECONDS
    )
    await_condition(lambda: jobs(cluster, name) not in (set(), {first}), seconds=SECONDS, what="no other Job followed")
    assert cluster.conversion(name)["status"]["phase"] == "Running"
    assert attempts(cluster, name)[0] == ("node-1", "Lost")
