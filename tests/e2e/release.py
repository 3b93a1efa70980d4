"""One installed release of the chart, as a user and as its administrator reach it."""

import json
import secrets
import subprocess
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import gridfs
import pymongo
import requests
from bson import ObjectId

from video2mp3_contracts.api import names

COMMAND_SECONDS = 120
_POLL_SECONDS = 0.25
_T = TypeVar("_T")


def await_value(look: Callable[[], _T | None], *, seconds: float, what: str) -> _T:
    """Look again and again until there is something to see; fail with `what` was awaited when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(_POLL_SECONDS)


@dataclass(frozen=True)
class Account:
    """Somebody who may log in."""

    email: str
    password: str = field(repr=False)


def build_conversion(name: str, account: Account, source: str | dict[str, Any], **spec: object) -> dict[str, Any]:
    """A Conversion of an account, with an email to it; `source` is a file's id, or what stands in spec.source."""
    source = {"gridfs": {"fileId": source}} if isinstance(source, str) else source
    wanted = {"source": source, "owner": account.email, "notify": {"email": account.email}} | spec
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": {"name": name}, "spec": wanted}


@dataclass(frozen=True)
class Release:
    """The chart, installed."""

    kubectl_program: Path
    kubeconfig: Path
    namespace: str
    name: str
    url: str
    """Where the ingress answers, for example http://127.0.0.1:8080."""

    host: str
    """The Host header that leads to this release."""

    # --- as the administrator ---

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl in the release's namespace; answers its standard output."""
        argv: list[str | Path] = [
            self.kubectl_program,
            "--kubeconfig",
            self.kubeconfig,
            "--namespace",
            self.namespace,
            *arguments,
        ]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        assert not check or done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout if done.returncode == 0 else done.stderr

    def helm(self, *arguments: str) -> str:
        """Run helm in the release's namespace; answers its standard output."""
        program = self.kubectl_program.with_name("helm")
        argv: list[str | Path] = [program, "--kubeconfig", self.kubeconfig, "--namespace", self.namespace, *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def apply(self, *documents: dict[str, Any]) -> None:
        """Apply documents, by the server's side."""
        listed = {"apiVersion": "v1", "kind": "List", "items": [*documents]}
        self.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(listed))

    def objects(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """All objects of a kind, as documents."""
        listed = self.kubectl("get", kind, "--output", "json", *(["--selector", selector] if selector else []))
        items: list[dict[str, Any]] = json.loads(listed)["items"]
        return items

    def conversion(self, name: str) -> dict[str, Any]:
        """One Conversion as a document."""
        document: dict[str, Any] = json.loads(self.kubectl("get", "conversion", name, "--output", "json"))
        return document

    def component(self, name: str) -> str:
        """The full name of a component's Deployment, StatefulSet or Service."""
        return f"{self.name}-{name}"

    def secret(self, name: str) -> dict[str, str]:
        """A Secret's values."""
        document = json.loads(self.kubectl("get", "secret", name, "--output", "json"))
        return {key: b64decode(value).decode() for key, value in document["data"].items()}

    def address(self, service: str) -> str:
        """A Service's cluster address; the node, which is this machine, reaches it."""
        return self.kubectl("get", "service", service, "--output", "jsonpath={.spec.clusterIP}")

    def pods(self, component: str) -> list[dict[str, Any]]:
        """The pods of a component."""
        return self.objects("pods", f"app.kubernetes.io/component={component}")

    def kill_pods(self, component: str) -> None:
        """End a component's pods at once, as a node that fails would."""
        self.kubectl(
            "delete", "pods", "--selector", f"app.kubernetes.io/component={component}", "--grace-period=0", "--force"
        )

    def scale(self, workload: str, replicas: int) -> None:
        """Scale a Deployment or StatefulSet and wait until it is so."""
        self.kubectl("scale", workload, f"--replicas={replicas}")
        if replicas:
            self.kubectl("rollout", "status", workload, "--timeout=120s")
        else:
            component = workload.rsplit("-", 1)[1]
            await_value(lambda: not self.pods(component), seconds=90, what=f"{workload} has no pod")

    def create_account(self) -> Account:
        """Make a new account by the auth service's own command."""
        account = Account(f"{secrets.token_hex(6)}@example.com", secrets.token_urlsafe(18))
        self.kubectl(
            "exec", "-i", f"deployment/{self.component('auth')}", "--",
            "video2mp3-auth", "create-account", account.email, "--password-stdin",
            stdin=account.password + "\n",
        )  # fmt: skip
        return account

    # --- the stores ---

    @cached_property
    def mongodb(self) -> "pymongo.MongoClient[dict[str, Any]]":
        """The release's MongoDB, reached from the node."""
        uri = self.secret(self.component("mongodb"))["uri"]
        service = self.component("mongodb")
        at = uri.index("@") + 1
        host = uri[at:].split(":")[0].split("/")[0]
        address = self.address(service)
        return pymongo.MongoClient(uri[:at] + uri[at:].replace(host, address, 1), serverSelectionTimeoutMS=20_000)

    def ledger(self, uid: str) -> dict[str, Any] | None:
        """A Conversion's ledger entry."""
        return self.mongodb["mp3s"]["conversions"].find_one({"_id": uid})

    def mp3s_of(self, uid: str) -> list[dict[str, Any]]:
        """The files in `mp3s` that belong to a Conversion."""
        return list(self.mongodb["mp3s"]["fs.files"].find({"metadata.conversionUid": uid}))

    def mp3(self, file_id: str) -> bytes:
        """An mp3's content."""
        return gridfs.GridFSBucket(self.mongodb["mp3s"]).open_download_stream(ObjectId(file_id)).read()

    def store_source(self, path: Path, owner: str) -> str:
        """Put a file into `videos` as an administrator would; answers its id."""
        bucket = gridfs.GridFSBucket(self.mongodb["videos"])
        metadata = {"owner": owner, "contentType": "video/mp4", "kind": "source"}
        with path.open("rb") as content:
            return str(bucket.upload_from_stream(path.name, content, metadata=metadata))

    def has_source(self, file_id: str) -> bool:
        """Whether anything of a source is left, be it only a chunk."""
        videos = self.mongodb["videos"]
        oid = ObjectId(file_id)
        return bool(videos["fs.files"].find_one({"_id": oid}) or videos["fs.chunks"].find_one({"files_id": oid}))

    def orphaned_chunks(self, database: str) -> list[Any]:
        """The ids of files that have chunks but no entry."""
        files = set(self.mongodb[database]["fs.files"].distinct("_id"))
        return [each for each in self.mongodb[database]["fs.chunks"].distinct("files_id") if each not in files]

    # --- the mail ---

    @cached_property
    def mail_api(self) -> str:
        """The mail sink's HTTP API."""
        return f"http://{self.address('mailsink')}:8025"

    def emails(self) -> list[dict[str, Any]]:
        """What the mail sink has accepted."""
        messages: list[dict[str, Any]] = requests.get(f"{self.mail_api}/messages", timeout=20).json()
        return messages

    def emails_to(self, address: str) -> list[dict[str, Any]]:
        """What the mail sink has accepted for an address."""
        return [message for message in self.emails() if address in str(message["to"])]

    def await_emails(self, address: str) -> list[dict[str, Any]]:
        """Wait for the first email to an address; answers all there are."""
        return await_value(lambda: self.emails_to(address), seconds=150, what=f"an email to {address}")

    def mail_behaviour(self, mode: str) -> None:
        """Make the mail server accept, reject for now, or stall."""
        requests.put(f"{self.mail_api}/behaviour", json={"mode": mode}, timeout=20).raise_for_status()

    # --- as a user ---

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Call the REST API through the ingress."""
        headers = {"Host": self.host} | arguments.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, **{"timeout": 600, **arguments})

    def login(self, account: Account) -> dict[str, str]:
        """Log in; answers the header that later calls carry."""
        answer = self.request("POST", "/login", auth=(account.email, account.password))
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.text.strip()}"}

    def log_lines(self, component: str) -> list[dict[str, Any]]:
        """What all pods of a component have logged, as far as it is JSON."""
        lines = []
        for pod in self.pods(component):
            text = self.kubectl("logs", pod["metadata"]["name"], "--all-containers")
            lines += [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return lines

    def upload(self, account: Account, path: Path, more_headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Upload a file; answers what the gateway said."""
        headers = self.login(account) | dict(more_headers or {})
        with path.open("rb") as content:
            answer = self.request("POST", "/upload", headers=headers, files={"file": (path.name, content)})
        assert answer.ok, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def upload_with_curl(self, account: Account, path: Path) -> dict[str, Any]:
        """Upload a file that does not fit in memory; answers what the gateway said."""
        bearer = self.login(account)["Authorization"]
        argv = [
            "curl",
            "-sS",
            "--fail-with-body",
            "--max-time",
            "300",
            "-F",
            f"file=@{path}",
            "-H",
            f"Host: {self.host}",
        ]
        done = subprocess.run(
            [*argv, "-H", f"Authorization: {bearer}", f"{self.url}/upload"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        body: dict[str, Any] = json.loads(done.stdout)
        return body

    def await_phase(self, name: str, phase: str, seconds: float = 120) -> dict[str, Any]:
        """Wait until a Conversion is in a phase."""

        def look() -> dict[str, Any] | None:
            document = self.conversion(name)
            reached: str = document.get("status", {}).get("phase", "")
            assert reached == phase or reached not in ("Succeeded", "Failed"), document["status"]
            return document if reached == phase else None

        return await_value(look, seconds=seconds, what=f"Conversion {name} is {phase}")
