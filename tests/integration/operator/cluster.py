"""What people and Kubernetes' controllers do in a test's namespace: there is no Job controller here but the test."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import gridfs
import requests
from bson import ObjectId

from tests.integration.operator.operator_process import INSTALLATION, Addresses
from tests.servers import KubernetesServer, MongoDBServer, RabbitMQServer
from tests.servers.process import await_condition
from video2mp3_contracts.api import names
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_contracts.ledger.storage import FileMetadata
from video2mp3_contracts.messaging.message import MP3_QUEUE, ConversionFinished

OWNER = "a@example.com"
SECONDS = 60.0
"""A limit, not a measure: the machine may be busy."""

_INTERNAL_ERROR = 541
"""AMQP's reply code."""

Document = dict[str, Any]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Api:
    """The API server as its administrator sees it."""

    def __init__(self, server: KubernetesServer) -> None:
        user = json.loads(server.kubeconfig.read_text())["users"][0]["user"]
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(server.ca_file)
        self._session.cert = (user["client-certificate"], user["client-key"])

    def request(self, method: str, path: str, body: Document | None = None, patch: bool = True) -> requests.Response:
        """One request; a PATCH merges."""
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" and patch else {}
        return self._session.request(method, self.server.url + path, json=body, headers=headers, timeout=10)

    def __call__(self, method: str, path: str, body: Document | None = None) -> Document:
        answer = self.request(method, path, body)
        assert answer.ok, answer.text
        document: Document = answer.json()
        return document


@dataclass(frozen=True)
class Cluster:
    """One namespace, with the stores beside it."""

    api: Api
    namespace: str
    mongodb: MongoDBServer
    rabbitmq: RabbitMQServer
    installation: str = INSTALLATION
    workers: str = ""
    """The namespace of Jobs and pods, where that is another one."""

    @property
    def addresses(self) -> Addresses:
        """Where an operator finds everything."""
        server = self.api.server
        return Addresses(server.url, server.ca_file, self.mongodb.uri_of("operator"), self.rabbitmq.url)

    # --- people ---

    @property
    def _conversions(self) -> str:
        return f"/apis/{names.API_VERSION}/namespaces/{self.namespace}/{names.PLURAL}"

    def upload(self, owner: str = OWNER) -> str:
        """Store a source; answers its id."""
        metadata = FileMetadata(owner=owner, content_type="video/mp4", installation=self.installation).as_document()
        with self.mongodb.client() as client:
            bucket = gridfs.GridFSBucket(client.videos)
            return str(bucket.upload_from_stream("talk.mp4", b"video" * 100, metadata=metadata))

    def convert(self, name: str = "talk", labels: dict[str, str] | None = None, **spec: Any) -> str:
        """Apply a Conversion of a new upload (unless another source is given); answers its name."""
        source = {} if "source" in spec else {"source": {"gridfs": {"fileId": self.upload()}}}
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name, "labels": labels or {}},
            "spec": {"owner": OWNER, "notify": {"email": OWNER}} | source | spec,
        }
        self.api("POST", self._conversions, body)
        return name

    def conversion(self, name: str) -> Document:
        """A Conversion as it is."""
        return self.api("GET", f"{self._conversions}/{name}")

    def change(self, name: str, **spec: Any) -> None:
        """Change fields of the spec."""
        self.api("PATCH", f"{self._conversions}/{name}", {"spec": spec})

    def label(self, name: str, key: str, value: str) -> None:
        """Somebody labels a Conversion."""
        self.api("PATCH", f"{self._conversions}/{name}", {"metadata": {"labels": {key: value}}})

    def annotate(self, name: str, key: str, value: str) -> None:
        """Somebody who is no part of this leaves a note on a Conversion."""
        self.api("PATCH", f"{self._conversions}/{name}", {"metadata": {"annotations": {key: value}}})

    def delete(self, name: str) -> None:
        """Delete a Conversion."""
        self.api("DELETE", f"{self._conversions}/{name}")

    def exists(self, name: str) -> bool:
        """Whether there is such a Conversion."""
        return self.api.request("GET", f"{self._conversions}/{name}").ok

    def await_reason(self, name: str, reason: str, seconds: float = SECONDS) -> Document:
        """Wait until the status has that reason; answers the status."""
        return self.await_status(name, lambda status: bool(status["reason"] == reason), seconds, f"become {reason}")

    def await_status(
        self, name: str, check: Callable[[Document], bool], seconds: float = SECONDS, what: str = "come to that"
    ) -> Document:
        """Wait until the status is so; answers it."""
        status: Document = {}

        def there() -> bool:
            status.clear()
            status.update(self.conversion(name)["status"])
            return check(status)

        await_condition(there, seconds=seconds, what=f"{name} did not {what}")
        return status

    def await_gone(self, name: str, seconds: float = SECONDS) -> None:
        """Wait until a Conversion is deleted."""
        await_condition(lambda: not self.exists(name), seconds=seconds, what=f"{name} was not deleted")

    def events(self, name: str) -> list[tuple[str, str]]:
        """Type and reason of each Event about a Conversion."""
        path = f"/api/v1/namespaces/{self.namespace}/events?fieldSelector=involvedObject.name={name}"
        return [(event["type"], event["reason"]) for event in self.api("GET", path)["items"]]

    # --- the Job controller and the kubelet ---

    def jobs(self, name: str | None = None) -> list[Document]:
        """The Jobs, or those of one Conversion."""
        selector = f"?labelSelector={names.LABEL_CONVERSION}={name}" if name else ""
        items: list[Document] = self.api(
            "GET", f"/apis/batch/v1/namespaces/{self.workers or self.namespace}/jobs{selector}"
        )["items"]
        return items

    def await_job(self, name: str) -> Document:
        """Wait for a Conversion's Job."""
        await_condition(lambda: len(self.jobs(name)) > 0, seconds=SECONDS, what=f"{name} got no Job")
        [job] = self.jobs(name)
        return job

    def _set_job(self, name: str, **status: Any) -> None:
        [job] = self.jobs(name)
        path = f"/apis/batch/v1/namespaces/{self.workers or self.namespace}/jobs/{job['metadata']['name']}/status"
        started = job.get("status", {}).get("startTime") or status.get("completionTime") or now()
        self.api("PATCH", path, {"status": {"startTime": started} | status})

    def run(self, name: str) -> None:
        """The Job's pod is ready."""
        self._set_job(name, active=1, ready=1)

    def wait(self, name: str) -> None:
        """The Job has no pod, and waits for the next."""
        self._set_job(name, active=0, ready=0)

    def unsuspend_job(self, name: str) -> None:
        """Kueue admits the Job."""
        [job] = self.jobs(name)
        path = f"/apis/batch/v1/namespaces/{self.workers or self.namespace}/jobs/{job['metadata']['name']}"
        self.api("PATCH", path, {"spec": {"suspend": False}})

    def complete(self, name: str) -> None:
        """The Job has ended well."""
        moment = now()
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": moment}
            for kind in ("SuccessCriteriaMet", "Complete")
        ]
        self._set_job(name, active=0, ready=0, succeeded=1, completionTime=moment, conditions=conditions)

    def give_up(self, name: str, reason: str, failed: int = 1) -> None:
        """The Job controller gives the Job up."""
        conditions = [
            {"type": kind, "status": "True", "reason": reason, "lastTransitionTime": now()}
            for kind in ("FailureTarget", "Failed")
        ]
        self._set_job(name, active=0, ready=0, failed=failed, conditions=conditions)

    def remove_job(self, name: str) -> None:
        """Somebody deletes the Job."""
        [job] = self.jobs(name)
        path = f"/apis/batch/v1/namespaces/{self.workers or self.namespace}/jobs/{job['metadata']['name']}"
        self.api("DELETE", f"{path}?propagationPolicy=Background")

    @property
    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self.workers or self.namespace}/pods"

    def pod(self, name: str, node: str = "node-1", **worker_state: Any) -> str:
        """A pod of the Conversion's Job whose worker container is in that state; answers its name."""
        [job] = self.jobs(name)
        template = job["spec"]["template"]
        controller = {"apiVersion": "batch/v1", "kind": "Job", "controller": True}
        controller |= {each: job["metadata"][each] for each in ("name", "uid")}
        metadata = {
            "name": f"{name}-{secrets.token_hex(3)}",
            "labels": template["metadata"]["labels"],
            "ownerReferences": [controller],
        }
        self.api("POST", self._pods, {"metadata": metadata, "spec": template["spec"] | {"nodeName": node}})
        self.set_pod(metadata["name"], **worker_state)
        return str(metadata["name"])

    def remove_pod(self, pod: str) -> None:
        """A pod is gone, with its node for example."""
        self.api("DELETE", f"{self._pods}/{pod}?gracePeriodSeconds=0")

    def disrupt(self, pod: str) -> None:
        """A pod is evicted, which the API server notes before the kubelet reports its end."""
        condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        self.api("PATCH", f"{self._pods}/{pod}/status", {"status": {"conditions": [condition]}})

    def end_overdue(self, pod: str) -> None:
        """The kubelet ends a pod whose activeDeadlineSeconds are over."""
        self.api("PATCH", f"{self._pods}/{pod}/status", {"status": {"phase": "Failed", "reason": "DeadlineExceeded"}})

    def set_pod(self, pod: str, **worker_state: Any) -> None:
        """The kubelet reports a pod."""
        exit_code = worker_state.get("terminated", {}).get("exitCode")
        phase = "Running" if exit_code is None else "Failed" if exit_code else "Succeeded"
        container = {
            "name": names.WORKER_CONTAINER,
            "image": "x",
            "imageID": "x",
            "ready": exit_code is None,
            "restartCount": 0,
            "state": worker_state,
        }
        status = {"phase": phase, "containerStatuses": [container]}
        self.api("PATCH", f"{self._pods}/{pod}/status", {"status": status})

    def ended(self, said: TerminationMessage) -> Document:
        """The state of a worker that has ended with these words."""
        return {
            "exitCode": said.exit_code,
            "reason": "Error",
            "message": said.model_dump_json(by_alias=True),
            "startedAt": now(),
            "finishedAt": now(),
        }

    # --- the worker ---

    def ledger(self, name: str) -> Document | None:
        """The Conversion's ledger entry."""
        with self.mongodb.client() as client:
            return client.mp3s.conversions.find_one({"_id": self.conversion(name)["metadata"]["uid"]})

    def work(self, name: str, *, publish: bool = True, pod: str = "") -> str:
        """A worker (in that pod) stores its mp3 and the result; answers the mp3's id."""
        uid = self.conversion(name)["metadata"]["uid"]
        metadata = FileMetadata(
            owner=OWNER, content_type="audio/mpeg", kind="mp3", conversion_uid=uid, installation=self.installation
        ).as_document()
        with self.mongodb.client() as client:
            file_id = str(
                gridfs.GridFSBucket(client.mp3s).upload_from_stream("talk.mp3", b"mp3" * 9, metadata=metadata)
            )
            result = {
                "fileId": file_id,
                "filename": "talk.mp3",
                "bytes": 27,
                "durationSeconds": 12.5,
                "sha256": "0" * 64,
                "encoding": "vbr 2",
            }
            attempt = {"token": "t", "pod": pod, "startedAt": datetime.now(UTC)}
            change: Document = {
                "attempt": attempt,
                "result": result,
                "uploads": [file_id],
                "owner": OWNER,
                "name": name,
                "namespace": self.namespace,
                "installation": self.installation,
            }
            if publish:
                change["messages"] = {"succeeded": {"publishedAt": datetime.now(UTC)}}
            client.mp3s.conversions.update_one({"_id": uid}, {"$set": change}, upsert=True)
        return file_id

    def begin(self, name: str) -> str:
        """A worker begins to write an mp3, which it has noted before; answers the file's id."""
        uid, file_id = self.conversion(name)["metadata"]["uid"], ObjectId()
        attempt = {"token": "t", "pod": "", "startedAt": datetime.now(UTC)}
        with self.mongodb.client() as client:
            identity = {"namespace": self.namespace, "name": name, "owner": OWNER}
            change = {"$set": identity | {"attempt": attempt}, "$addToSet": {"uploads": str(file_id)}}
            client.mp3s.conversions.update_one({"_id": uid}, change, upsert=True)
            client.mp3s["fs.chunks"].insert_one({"files_id": file_id, "n": 0, "data": b"sound"})
        return str(file_id)

    def say(self, name: str, said: TerminationMessage) -> None:
        """A worker leaves its last words in the ledger."""
        uid = self.conversion(name)["metadata"]["uid"]
        error = {"exitCode": said.exit_code, "reason": said.reason, "message": said.message, "at": datetime.now(UTC)}
        with self.mongodb.client() as client:
            client.mp3s.conversions.update_one({"_id": uid}, {"$set": {"error": error}}, upsert=True)

    def report(self, name: str, percent: int) -> None:
        """A worker reports how far it is."""
        uid = self.conversion(name)["metadata"]["uid"]
        progress = {"percent": percent, "processedSeconds": 1.5, "updatedAt": datetime.now(UTC)}
        with self.mongodb.client() as client:
            client.mp3s.conversions.update_one({"_id": uid}, {"$set": {"progress": progress}}, upsert=True)

    # --- what is there ---

    def files(self, database: str) -> set[str]:
        """Ids of the files in a database, and of files of which only chunks are left."""
        with self.mongodb.client() as client:
            whole = client[database]["fs.files"].distinct("_id")
            return {str(each) for each in (*whole, *client[database]["fs.chunks"].distinct("files_id"))}

    def give_source(self, name: str, owner: str) -> None:
        """An administrator makes a Conversion's source somebody else's."""
        file_id = self.conversion(name)["spec"]["source"]["gridfs"]["fileId"]
        with self.mongodb.client() as client:
            client.videos["fs.files"].update_one({"_id": ObjectId(file_id)}, {"$set": {"metadata.owner": owner}})

    def has_source(self, name: str) -> bool:
        """Whether the Conversion's source is there."""
        file_id = self.conversion(name)["spec"]["source"]["gridfs"]["fileId"]
        with self.mongodb.client() as client:
            return client.videos["fs.files"].find_one({"_id": ObjectId(file_id)}) is not None

    def messages(self) -> list[ConversionFinished]:
        """Take all messages out of the queue, if there is one."""
        import pika
        import pika.exceptions

        if all(queue["name"] != MP3_QUEUE for queue in self.rabbitmq.management("GET", "/api/queues")):
            return []
        with pika.BlockingConnection(pika.URLParameters(self.rabbitmq.url)) as connection:
            channel = connection.channel()
            found: list[ConversionFinished] = []
            try:
                while (got := channel.basic_get(MP3_QUEUE, auto_ack=True))[0] is not None:
                    found.append(ConversionFinished.model_validate_json(got[2]))
            except pika.exceptions.ConnectionClosedByBroker as error:
                # A broker that has just started may not have a leader for its queue.
                if error.reply_code != _INTERNAL_ERROR:
                    raise
            return found

    def await_message(self, seconds: float = SECONDS) -> ConversionFinished:
        """Wait for the one message."""
        [message] = self.await_messages(1, seconds)
        return message

    def await_messages(self, count: int, seconds: float = SECONDS) -> list[ConversionFinished]:
        """Wait for so many messages, and take all there are."""
        taken: list[ConversionFinished] = []

        def there() -> bool:
            taken.extend(self.messages())
            return len(taken) >= count

        await_condition(there, seconds=seconds, what=f"not {count} messages came")
        return taken
