"""The worker Job as a whole document."""

import json
import re
from typing import Any

import pytest

from tests.builders import FILE_ID, OWNER, ConversionBuilder, a_conversion
from tests.unit.operator.harness import settings
from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.jobs.worker import WorkerRequest
from video2mp3_operator.reconciler.job import KUEUE_QUEUE_LABEL, build_job

LABELS = {
    "app.kubernetes.io/name": "video2mp3",
    "app.kubernetes.io/instance": "video2mp3",
    "app.kubernetes.io/managed-by": "video2mp3-operator",
    "app.kubernetes.io/component": "worker",
    "video2mp3.dev/conversion": "talk",
    "video2mp3.dev/conversion-namespace": "media",
    "video2mp3.dev/conversion-uid": "uid-media-talk",
}


def job(conversion: ConversionBuilder, source_bytes: int | None = 1000, **changes: Any) -> dict[str, Any]:
    return build_job(Conversion.model_validate(conversion.document), settings(**changes), source_bytes)


def from_secret(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "video2mp3-worker", "key": key}}}


def test_the_whole_manifest() -> None:
    manifest = job(a_conversion())
    request = manifest["spec"]["template"]["spec"]["containers"][0]["env"][0].pop("value")
    assert WorkerRequest.model_validate_json(request).model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "conversion": {"uid": "uid-media-talk", "namespace": "media", "name": "talk", "requestId": ""},
        "owner": OWNER,
        "installation": "media/video2mp3",
        "email": OWNER,
        "source": {"gridfs": {"fileId": FILE_ID}, "allowTruncated": False},
        "output": {"encoding": {"vbr": 2}, "channels": "source", "tags": {"id3Version": "2.3"}},
        "filename": "talk.mp3",
        "limits": {
            "maxSourceBytes": 20 * 1024**3,
            "maxDurationSeconds": 86400,
            "maxOutputBytes": 4 * 1024**3,
            "allowedHosts": [],
        },
    }
    assert manifest == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "talk-b3441bca",
            "namespace": "media",
            "labels": LABELS | {"video2mp3.dev/job-generation": "0"},
            "ownerReferences": [
                {
                    "apiVersion": "video2mp3.dev/v1",
                    "kind": "Conversion",
                    "name": "talk",
                    "uid": "uid-media-talk",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "backoffLimit": 3,
            "activeDeadlineSeconds": 4 * (21600 + 600) + 3 * 600,
            "ttlSecondsAfterFinished": 600,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {
                        "action": "Ignore",
                        "onExitCodes": {"containerName": "worker", "operator": "In", "values": [143]},
                    },
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": "worker", "operator": "In", "values": [64, 65, 66]},
                    },
                ]
            },
            "template": {
                "metadata": {"labels": LABELS},
                "spec": {
                    "restartPolicy": "Never",
                    "activeDeadlineSeconds": 22200,
                    "terminationGracePeriodSeconds": 30,
                    "serviceAccountName": "default",
                    "automountServiceAccountToken": False,
                    "enableServiceLinks": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "fsGroup": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [
                        {
                            "name": "worker",
                            "image": "video2mp3/worker:1",
                            "imagePullPolicy": "IfNotPresent",
                            "env": [
                                {"name": "WORKER_REQUEST"},
                                from_secret("WORKER_MONGODB_URI", "mongodb-uri"),
                                from_secret("WORKER_RABBITMQ_URI", "rabbitmq-uri"),
                                {
                                    "name": "WORKER_POD_NAME",
                                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
                                },
                                {"name": "WORKER_SCRATCH", "value": "/scratch"},
                            ],
                            "resources": {
                                "requests": {"cpu": "500m", "memory": "128Mi"},
                                "limits": {"cpu": "2", "memory": "512Mi"},
                            },
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "readOnlyRootFilesystem": True,
                                "capabilities": {"drop": ["ALL"]},
                            },
                            "terminationMessagePath": "/dev/termination-log",
                            "terminationMessagePolicy": "File",
                            "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                        }
                    ],
                    "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": str(1000 + 4 * 1024**3)}}],
                },
            },
        },
    }


def test_landlock_is_required_where_the_installation_says_so() -> None:
    def environment(manifest: dict[str, Any]) -> dict[str, Any]:
        container = manifest["spec"]["template"]["spec"]["containers"][0]
        return {variable["name"]: variable.get("value") for variable in container["env"]}

    assert environment(job(a_conversion(), worker_require_landlock=True))["WORKER_REQUIRE_LANDLOCK"] == "true"
    assert "WORKER_REQUIRE_LANDLOCK" not in environment(job(a_conversion()))


def test_no_credential_is_in_the_manifest() -> None:
    assert "mongodb://" not in json.dumps(job(a_conversion()))
    assert "amqp://" not in json.dumps(job(a_conversion()))


@pytest.mark.parametrize("title", ["$(WORKER_MONGODB_URI)", "Ke$$ha", "$$(WORKER_POD_NAME)", "costs $5", "50 $"])
def test_what_users_wrote_is_no_reference_to_a_variable(title: str) -> None:
    """Kubernetes expands `$(NAME)` and `$$` in the values of variables."""
    container = job(a_conversion().with_spec(output={"tags": {"title": title}}))["spec"]["template"]["spec"][
        "containers"
    ][0]
    (value,) = [variable["value"] for variable in container["env"] if variable["name"] == "WORKER_REQUEST"]
    expanded = re.sub(r"\$(\$|\(([^)]*)\))", lambda found: "$" if found[1] == "$" else f"<{found[2]}>", value)
    assert WorkerRequest.model_validate_json(expanded).output.tags.title == title


def test_the_name_follows_from_the_uid_and_fits() -> None:
    long = a_conversion("x" * 63)
    assert job(long) == job(long)
    name = job(long)["metadata"]["name"]
    assert len(name) == names.MAX_JOB_NAME_LENGTH
    assert name != job(long.with_metadata(uid="another"))["metadata"]["name"]


@pytest.mark.parametrize(
    ("conversion", "deadline", "pod_deadline", "told"),
    [
        (a_conversion(), 90600, 22200, None),
        (a_conversion().with_spec(timeouts={"runSeconds": 60}), 4440, 660, 60),
        (a_conversion().with_spec(retryLimit=0, timeouts={"runSeconds": 60}), 660, 660, 60),
    ],
)
def test_deadlines(conversion: ConversionBuilder, deadline: int, pod_deadline: int, told: int | None) -> None:
    manifest = job(conversion)["spec"]
    request = WorkerRequest.model_validate_json(manifest["template"]["spec"]["containers"][0]["env"][0]["value"])
    assert (manifest["activeDeadlineSeconds"], manifest["template"]["spec"]["activeDeadlineSeconds"]) == (
        deadline,
        pod_deadline,
    )
    assert request.limits.run_seconds == told


def test_a_source_of_unknown_size_gets_room_for_the_largest() -> None:
    volume = job(a_conversion(), None)["spec"]["template"]["spec"]["volumes"][0]
    assert volume["emptyDir"]["sizeLimit"] == str(24 * 1024**3)


def test_a_worker_is_told_where_it_may_fetch_from() -> None:
    """And gets room for the largest source: nobody knows how large this one is."""
    on_the_web = a_conversion().with_spec(source={"gridfs": None, "url": "https://media.example.com/a.mp4"})
    pod = job(on_the_web, None, allowed_hosts=("*.example.com",))["spec"]["template"]["spec"]
    (value,) = [each["value"] for each in pod["containers"][0]["env"] if each["name"] == "WORKER_REQUEST"]
    request = WorkerRequest.model_validate_json(value)
    assert request.source.url == "https://media.example.com/a.mp4"
    assert request.limits.allowed_hosts == ("*.example.com",)
    assert pod["volumes"][0]["emptyDir"]["sizeLimit"] == str(24 * 1024**3)


def test_kueue_decides_where_the_conversion_says_so() -> None:
    manifest = job(a_conversion().with_metadata(labels={KUEUE_QUEUE_LABEL: "audio"}))
    assert manifest["spec"]["suspend"] is True
    assert manifest["metadata"]["labels"][KUEUE_QUEUE_LABEL] == "audio"
    assert KUEUE_QUEUE_LABEL not in manifest["spec"]["template"]["metadata"]["labels"]
    assert "suspend" not in job(a_conversion())["spec"]


def test_administrators_labels_and_annotations_reach_the_pod_and_replace_none_of_ours() -> None:
    """How a mesh is told to keep its sidecar out."""
    added = settings(
        worker_pod_labels={"mesh": "no", names.LABEL_CONVERSION_UID: "another"},
        worker_pod_annotations={"mesh.example.com/inject": "false"},
    )
    metadata = build_job(Conversion.model_validate(a_conversion().document), added, 1)["spec"]["template"]["metadata"]
    assert metadata == {"labels": {"mesh": "no"} | LABELS, "annotations": {"mesh.example.com/inject": "false"}}


def test_a_conversions_own_labels_and_annotations_reach_job_and_pod_where_they_may() -> None:
    """And replace neither ours nor the administrators'."""
    labels = {"team": "media", "size": "small", "sidecar": "wanted", names.LABEL_CONVERSION_UID: "another"}
    own = a_conversion().with_metadata(labels=labels, annotations={"ticket": "7", "mesh": "yes", "note": "none"})
    manifest = job(
        own,
        worker_copied_labels=("team", "missing", "sidecar", names.LABEL_CONVERSION_UID),
        worker_copied_annotations=("ticket", "mesh"),
        worker_pod_labels={"sidecar": "none"},
        worker_pod_annotations={"mesh": "no"},
    )
    pod = manifest["spec"]["template"]["metadata"]
    assert manifest["metadata"]["labels"].items() >= ({"team": "media", "sidecar": "wanted"} | LABELS).items()
    assert manifest["metadata"]["annotations"] == {"ticket": "7", "mesh": "yes"}
    assert pod["labels"] == {"team": "media", "sidecar": "none"} | LABELS
    assert pod["annotations"] == {"ticket": "7", "mesh": "no"}
    assert "size" not in manifest["metadata"]["labels"]


def test_administrators_say_on_which_nodes_workers_run() -> None:
    """And that they leave one that does not answer sooner than others."""
    left_soon = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 5}
    pod = job(a_conversion(), worker_node_selector={"pool": "media"}, worker_tolerations=(left_soon,))
    assert pod["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "media"}
    assert pod["spec"]["template"]["spec"]["tolerations"] == [left_soon]


def test_workers_go_where_and_before_whom_administrators_say() -> None:
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
    pod = job(a_conversion(), worker_affinity=affinity, worker_priority_class="batch")["spec"]["template"]["spec"]
    assert (pod["affinity"], pod["priorityClassName"]) == (affinity, "batch")
    assert not {"affinity", "priorityClassName"} & job(a_conversion())["spec"]["template"]["spec"].keys()


def test_workers_run_as_whom_the_cluster_chooses_where_it_does() -> None:
    ours = job(a_conversion())["spec"]["template"]["spec"]["securityContext"]
    theirs = job(a_conversion(), worker_fixed_uid=False)["spec"]["template"]["spec"]["securityContext"]
    assert ours == theirs | {"runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532}


def test_workers_trust_authorities_that_administrators_name() -> None:
    pod = job(a_conversion(), worker_ca_secret="my-ca")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [mount] = [each for each in container["volumeMounts"] if each["name"] == "ca"]
    assert {"name": "SSL_CERT_FILE", "value": f"{mount['mountPath']}/ca.crt"} in container["env"]
    assert mount["readOnly"]
    [volume] = [each for each in pod["volumes"] if each["name"] == "ca"]
    assert volume["secret"] == {"secretName": "my-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}


def test_parts_go_to_different_nodes_where_there_are_any() -> None:
    conversion = Conversion.model_validate(a_conversion().document)
    split = build_job(conversion, settings(), 1000, parts=2)["spec"]["template"]
    assert split["spec"]["topologySpreadConstraints"] == [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"video2mp3.dev/conversion-uid": "uid-media-talk"}},
        }
    ]
    assert split["metadata"]["labels"]["video2mp3.dev/conversion-uid"] == "uid-media-talk"
    assert "topologySpreadConstraints" not in job(a_conversion())["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("annotation", "told"),
    [("r-1", "r-1"), ("", ""), ("two\nlines", ""), ("ä", ""), ("r" * 129, "")],
)
def test_the_worker_is_told_which_request_made_its_conversion(annotation: str, told: str) -> None:
    manifest = job(a_conversion().with_metadata(annotations={"video2mp3.dev/request-id": annotation}))

    value = manifest["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]
    assert WorkerRequest.model_validate_json(value).conversion.request_id == told


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"ttlSecondsAfterFinished": 86_400}, 86_400),
        ({"ttlSecondsAfterFinished": 86_400, "deletionPolicy": "Retain"}, None),
        ({}, None),
    ],
)
def test_the_worker_is_told_how_long_the_mp3_stays(spec: dict[str, Any], told: int | None) -> None:
    manifest = job(a_conversion().with_spec(**spec))

    value = manifest["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]
    assert WorkerRequest.model_validate_json(value).ttl_seconds == told


def test_the_longest_request_goes_into_one_variable() -> None:
    """Linux allows 128 KiB for each (MAX_ARG_STRLEN)."""
    fields = ("title", "artist", "album", "albumArtist", "composer", "genre")
    tags: dict[str, Any] = dict.fromkeys(fields, "🐞" * 256)
    tags |= {"comment": "🐞" * 1024, "lyrics": "🐞" * 16_384}
    tags |= {"custom": {f"{number:02}" + "🐞" * 62: "🐞" * 256 for number in range(16)}}
    conversion = a_conversion()
    conversion.document["spec"]["output"] |= {"tags": tags, "filename": "🐞" * 200}

    variables = job(conversion)["spec"]["template"]["spec"]["containers"][0]["env"]

    assert max(len(f"{each['name']}={each.get('value', '')}".encode()) for each in variables) < 128 * 1024
