"""A Conversion from Git on a real cluster: pruned as Argo CD and Flux prune, and applied again."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import media
from tests.e2e.release import Account, Release

KEYNOTE = Path(__file__).resolve().parents[2] / "examples" / "gitops" / "conversions" / "keynote.yaml"


@pytest.mark.parametrize("propagation", ["foreground", "background"], ids=["Argo CD", "Flux"])
def test_pruning_and_applying_again_gives_the_mp3_back(
    propagation: str, release: Release, account: Account, tmp_path: Path
) -> None:
    """Argo CD prunes in the foreground, which waits for the Job's pods; Flux in the background."""
    document = yaml.safe_load(KEYNOTE.read_text())
    name = document["metadata"]["name"]
    source = release.store_source(media.make_video(tmp_path / "keynote.mp4", 3), account.email)
    document["spec"] |= {"source": {"gridfs": {"fileId": source}}, "owner": account.email}
    document["spec"]["notify"]["email"] = account.email

    first = applied(release, document)
    release.kubectl("delete", "conversion", name, f"--cascade={propagation}", "--timeout=90s")
    assert release.has_source(source)
    second = applied(release, document)
    assert second["status"]["output"] == first["status"]["output"]
    assert second["metadata"]["uid"] != first["metadata"]["uid"]
    assert release.objects("jobs", f"video2mp3.dev/conversion-uid={second['metadata']['uid']}") == []

    path = f"/download?fid={second['status']['output']['fileId']}"
    assert release.request("GET", path, headers=release.login(account)).status_code == 200
    release.kubectl("delete", "conversion", name, f"--cascade={propagation}", "--timeout=90s")
    assert release.request("GET", path, headers=release.login(account)).status_code == 200


def applied(release: Release, document: dict[str, Any]) -> dict[str, Any]:
    """Apply it and wait for its health; answers the Conversion."""
    name = document["metadata"]["name"]
    release.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(document))
    release.kubectl("wait", "--for=condition=Ready", f"conversion/{name}", "--timeout=120s")
    return release.conversion(name)
