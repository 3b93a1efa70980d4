"""The rendered node as a whole: what one part names, another one has to make."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from video2mp3_localcluster.node import cgroups
from video2mp3_localcluster.node.addresses import FIRST, HOST_INTERFACE, SECOND, SECOND_INTERFACE, SERVICE_NETWORK
from video2mp3_localcluster.node.components import component_commands, second_component_commands
from video2mp3_localcluster.node.configuration import build_traefik_configuration
from video2mp3_localcluster.node.namespaces import second_setup_commands, setup_commands
from video2mp3_localcluster.node.node_files import (
    build_documents,
    build_instructions,
    build_second_documents,
    build_second_instructions,
    node_key,
    second_node_key,
    write_node_files,
    write_second_node_files,
)
from video2mp3_localcluster.node.supervisor import Instructions
from video2mp3_localcluster.programs.binaries import CNI_PLUGINS, KUBERNETES_COMPONENTS, programs
from video2mp3_localcluster.steps.layout import NodeFiles

FILES = NodeFiles(Path("/state"), Path("/run/cluster"))


@pytest.fixture
def written(tmp_path: Path) -> NodeFiles:
    """A node's files, with programs that are only names."""
    files = NodeFiles(tmp_path / "state", tmp_path / "run")
    sources = tmp_path / "sources"
    sources.mkdir()
    names = [*KUBERNETES_COMPONENTS, *(f"cni/{plugin}" for plugin in CNI_PLUGINS), "runc"]
    for name in names:
        (sources / name.replace("/", "-")).write_text(name)
    write_node_files(files, {name: sources / name.replace("/", "-") for name in names}, "pause:1", 8080)
    return files


def test_every_file_that_a_component_is_given_exists(written: NodeFiles) -> None:
    texts = [word for command in component_commands(written) for word in command.arguments]
    texts += build_documents(written, "pause:1", 8080).values()
    inside = rf"{re.escape(str(written.state))}/(?:pki|config)/[\w./-]+"
    named = {path for text in texts for path in re.findall(inside, text)}
    assert named
    assert [path for path in sorted(named) if not Path(path).exists()] == []


def test_every_file_that_a_component_of_the_second_node_is_given_exists(written: NodeFiles) -> None:
    second = written.second
    write_second_node_files(second, "pause:1")
    texts = [word for command in second_component_commands(second) for word in command.arguments]
    texts += build_second_documents(second, "pause:1").values()
    inside = rf"{re.escape(str(written.state))}/(?:second/config|pki|config)/[\w./-]+"
    named = {path for text in texts for path in re.findall(inside, text)}
    assert str(written.pki / "second-kubelet.key") in named
    assert [path for path in sorted(named) if not Path(path).exists()] == []
    assert [path for path in sorted(named) if path.startswith(str(written.configuration))] == []


def test_two_nodes_share_no_address_name_or_folder() -> None:
    networks = [FIRST.pod_network, SECOND.pod_network, SERVICE_NETWORK]
    assert [(a, b) for a in networks for b in networks if a is not b and a.overlaps(b)] == []
    texts = [*build_second_documents(FILES.second, "p").values(), json.dumps(build_second_instructions(FILES.second))]
    listening = [text for text in texts if re.search(rf'"(?:address|bindAddress)": "{FIRST.ip}"', text)]
    assert listening == []
    ours = json.dumps(second_component_commands(FILES.second)[-1].arguments)
    assert f"--hostname-override={SECOND.name}" in ours
    assert f"--root-dir={FILES.state}/second/kubelet" in ours


def test_the_second_nodes_interfaces_are_its_own_and_the_first_nodes() -> None:
    commands = second_setup_commands(FILES.second)
    outside = [command[2:] for command in commands if command[0] == "nsenter"]
    assert outside[0][:4] == ["ip", "link", "add", SECOND_INTERFACE]
    assert all(SECOND_INTERFACE in command for command in outside)
    assert not any(word == HOST_INTERFACE for command in commands for word in command)


def test_the_second_node_is_another_where_the_first_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "mounted", list)
    keys = {second_node_key(FILES.second, pause, first) for pause in ("p:1", "p:2") for first in ("a", "b")}
    assert len(keys) == 4


def test_every_program_that_is_started_is_among_the_clusters() -> None:
    named = {
        word
        for command in component_commands(FILES)
        for word in [*command.arguments, *command.after]
        if word.startswith(str(FILES.programs))
    }
    available = {str(FILES.programs / name) for name in programs()}
    assert named <= available
    plugins = {
        plugin["type"] for plugin in json.loads(build_documents(FILES, "p", 1)["cni/10-pods.conflist"])["plugins"]
    }
    assert plugins < set(CNI_PLUGINS)


def test_only_root_reads_the_administrators_kubeconfig(written: NodeFiles) -> None:
    assert written.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert "client-key-data" in written.kubeconfig.read_text()


def test_writing_again_keeps_certificates_and_replaces_programs(written: NodeFiles, tmp_path: Path) -> None:
    authority = (written.pki / "ca.crt").read_bytes()
    newer = tmp_path / "newer"
    newer.write_text("a newer kubelet")
    write_node_files(written, {"kubelet": newer}, "pause:1", 8081)
    assert (written.pki / "ca.crt").read_bytes() == authority
    assert (written.programs / "kubelet").read_text() == "a newer kubelet"
    assert '"127.0.0.1:8081"' in (written.configuration / "traefik.yaml").read_text()


def test_half_a_set_of_certificates_is_made_anew(written: NodeFiles) -> None:
    authority = (written.pki / "ca.crt").read_bytes()
    (written.pki / "complete").unlink()
    (written.pki / "admin.crt").unlink()
    write_node_files(written, {}, "pause:1", 8080)
    assert (written.pki / "admin.crt").exists()
    assert (written.pki / "ca.crt").read_bytes() != authority


def test_the_supervisor_reads_what_is_written_for_it(written: NodeFiles) -> None:
    instructions = Instructions.read(written.instructions)
    assert [component.name for component in instructions.components] == [
        command.name for command in component_commands(written)
    ]


def test_nothing_listens_for_the_world() -> None:
    texts = [*build_documents(FILES, "p", 8080).values(), json.dumps(build_instructions(FILES))]
    assert [text for text in texts if "0.0.0.0" in text or "[::]" in text] == []


def test_uploads_and_downloads_have_no_time_limit() -> None:
    timeouts = build_traefik_configuration(8080)["entryPoints"]["web"]["transport"]["respondingTimeouts"]
    assert (timeouts["readTimeout"], timeouts["writeTimeout"]) == (0, 0)


def test_containerds_configuration_is_valid_and_stays_in_the_clusters_folders() -> None:
    document = tomllib.loads(build_documents(FILES, "pause:1", 8080)["containerd.toml"])
    cri = document["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "pause:1"
    assert cri["restrict_oom_score_adj"]
    assert cri["disable_apparmor"]
    places = [document["root"], document["state"], document["grpc"]["address"], *cri["cni"].values()]
    assert [place for place in places if not place.startswith(("/state/", "/run/cluster/"))] == []


def test_mounts_become_shared_only_after_all_are_made() -> None:
    mounts = [command for command in setup_commands(FILES) if command[0] == "mount"]
    assert mounts[-1] == ["mount", "--make-rshared", "/"]
    assert all(command[1] in ("--bind", "--rbind") for command in mounts[:-1])


def test_the_host_gets_one_interface_and_routes_over_it() -> None:
    on_host = [command for command in setup_commands(FILES) if command[0] == "nsenter"]
    assert on_host[0][3:6] == ["link", "add", HOST_INTERFACE]
    assert [command for command in on_host if HOST_INTERFACE not in command and "route" not in command] == []


def test_the_key_of_a_node_changes_with_its_versions_but_not_with_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "mounted", list)
    keys = {
        node_key(FILES, ["kubernetes-1"], "pause:1"),
        node_key(FILES, ["kubernetes-2"], "pause:1"),
        node_key(FILES, ["kubernetes-1"], "pause:2"),
    }
    assert len(keys) == 3
