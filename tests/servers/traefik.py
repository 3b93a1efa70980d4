"""Traefik, which stands before the gateway on the local cluster: HTTP/1.1 and HTTP/2, with TLS and without."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.process import Server, free_port
from video2mp3_localcluster.node.pki import create_self_signed
from video2mp3_localcluster.programs.binaries import wheel_program


class TraefikServer(Server):
    """Passes everything on to one address."""

    name: ClassVar[str] = "traefik"

    def __init__(self, backend: str) -> None:
        super().__init__()
        self._backend = backend
        self._tls_port = free_port()

    @property
    def url(self) -> str:
        """Without TLS: HTTP/1.1, and HTTP/2 for those who know beforehand."""
        return f"http://{self.host}:{self.port}"

    @property
    def tls_url(self) -> str:
        """With TLS, by a certificate that nobody signed."""
        return f"https://{self.host}:{self._tls_port}"

    def prepare(self) -> None:
        """Write what it reads."""
        create_self_signed(self.directory, "tls", "localhost")
        timeouts = {"respondingTimeouts": {"readTimeout": 0, "writeTimeout": 0}}
        routes = self.directory / "routes.json.yaml"
        routes.write_text(json.dumps(self._routes()))
        static = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "entryPoints": {
                "plain": {"address": f"{self.host}:{self.port}", "transport": timeouts},
                "tls": {"address": f"{self.host}:{self._tls_port}", "transport": timeouts},
            },
            "providers": {"file": {"filename": str(routes)}},
        }
        (self.directory / "traefik.yaml").write_text(json.dumps(static))

    def _routes(self) -> Mapping[str, object]:
        everything = {"rule": "PathPrefix(`/`)", "service": "gateway"}
        files = {"certFile": str(self.directory / "tls.crt"), "keyFile": str(self.directory / "tls.key")}
        routers = {
            "plain": everything | {"entryPoints": ["plain"]},
            "tls": everything | {"entryPoints": ["tls"], "tls": {}},
        }
        backend = {"loadBalancer": {"servers": [{"url": self._backend}]}}
        return {"http": {"routers": routers, "services": {"gateway": backend}}, "tls": {"certificates": [files]}}

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [str(wheel_program("traefik")), f"--configFile={self.directory / 'traefik.yaml'}"]

    def answers(self) -> bool:
        """Ask what stands behind it for a sign of life."""
        return _answers(f"{self.url}/healthz")


class GatewayApiTraefik(Server):
    """Does what the Gateways and HTTPRoutes of a cluster say."""

    name: ClassVar[str] = "traefik-gateway-api"

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__()
        self._kubeconfig = kubeconfig

    @property
    def url(self) -> str:
        """Where the listeners of Gateways are that have its port."""
        return f"http://{self.host}:{self.port}"

    def prepare(self) -> None:
        """Write what it reads."""
        timeouts = {"respondingTimeouts": {"readTimeout": 0, "writeTimeout": 0}}
        static = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "ping": {"entryPoint": "web"},
            "entryPoints": {"web": {"address": f"{self.host}:{self.port}", "transport": timeouts}},
            "providers": {"kubernetesGateway": {}},
        }
        (self.directory / "traefik.yaml").write_text(json.dumps(static))

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [str(wheel_program("traefik")), f"--configFile={self.directory / 'traefik.yaml'}"]

    def environment(self) -> Mapping[str, str]:
        """Return where the cluster is."""
        return {"KUBECONFIG": str(self._kubeconfig)}

    def answers(self) -> bool:
        """Ask for a sign of life."""
        return _answers(f"{self.url}/ping")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False
