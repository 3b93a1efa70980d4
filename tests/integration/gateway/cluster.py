"""A namespace in a real API server, with the permissions that the chart gives the gateway."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.servers import KubernetesServer
from video2mp3_contracts.api.conversion import Conversion, ConversionSpec, GridFSSource, Notify, ObjectMeta, Source
from video2mp3_contracts.api.names import FINALIZER
from video2mp3_contracts.api.output import Output
from video2mp3_gateway.adapters.kubernetes_api import KubernetesConversions
from video2mp3_gateway.adapters.kubernetes_classes import KubernetesClasses
from video2mp3_gateway.adapters.kubernetes_requests import connect

ALICE = "alice@example.com"
BOB = "bob@example.com"


class Cluster:
    """A namespace of one's own, and the gateway's access to it."""

    def __init__(self, server: KubernetesServer, folder: Path) -> None:
        self.server = server
        self.namespace = server.new_namespace()
        self.client = connect(self._kubeconfig(folder), connections=4)
        self.conversions = KubernetesConversions(self.client, self.namespace)
        self.classes = KubernetesClasses(self.client)

    def close(self) -> None:
        self.client.close()

    def kubectl(self, *arguments: str) -> str:
        return self.server.kubectl("--namespace", self.namespace, *arguments)

    def _kubeconfig(self, folder: Path) -> Path:
        """A service account's token, with the rights of the chart's Role."""
        self.kubectl("create", "serviceaccount", "gateway")
        self.kubectl(
            "create",
            "role",
            "gateway",
            "--verb=create,delete,get,list,patch,watch",
            "--resource=conversions.video2mp3.dev",
        )
        account = f"--serviceaccount={self.namespace}:gateway"
        self.kubectl("create", "rolebinding", "gateway", "--role=gateway", account)
        token = self.kubectl("create", "token", "gateway").strip()
        configuration = json.loads(self.server.kubeconfig.read_text())
        configuration["users"][0]["user"] = {"token": token}
        file = folder / "kubeconfig"
        file.write_text(json.dumps(configuration))
        return file

    def conversion(self, file_id: str = "a" * 24, owner: str = ALICE, name: str = "") -> Conversion:
        spec = ConversionSpec(
            source=Source(gridfs=GridFSSource(file_id=file_id)),
            output=Output(filename="talk.mp3"),
            owner=owner,
            notify=Notify(email=owner),
        )
        return Conversion(metadata=ObjectMeta(name=name or f"upload-{file_id}", namespace=self.namespace), spec=spec)

    @staticmethod
    def held(conversion: Conversion) -> Conversion:
        """With a finalizer, as uploads are."""
        metadata = conversion.metadata.model_copy(update={"finalizers": (FINALIZER,)})
        return conversion.model_copy(update={"metadata": metadata})

    def fill(self, count: int, owner: str = ALICE) -> list[str]:
        """Create so many of an account; answers their names, in order."""
        wanted = [self.conversion(f"{number:024x}", owner) for number in range(count)]
        with ThreadPoolExecutor(4) as creators:
            list(creators.map(self.conversions.create, wanted))
        return [conversion.metadata.name for conversion in wanted]

    def listed(self, owner: str) -> list[str]:
        """What kubectl shows of an account, newest first."""
        found = json.loads(self.kubectl("get", "conversions", "--output=json"))["items"]
        places = sorted(
            (each["metadata"]["creationTimestamp"], each["metadata"]["name"])
            for each in found
            if each["spec"]["owner"] == owner
        )
        return [name for _created, name in reversed(places)]
