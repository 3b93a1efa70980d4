"""How a program under test finds an API server, and who it is there."""

import json
from pathlib import Path


def token_kubeconfig(url: str, token: str, ca_file: Path | None = None) -> str:
    """A kubeconfig's content for an account with a bearer token. `ca_file` is for https."""
    server = {"server": url} | ({"certificate-authority": str(ca_file)} if ca_file else {})
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [{"name": "here", "cluster": server}],
            "users": [{"name": "account", "user": {"token": token}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "account"}}],
        }
    )
