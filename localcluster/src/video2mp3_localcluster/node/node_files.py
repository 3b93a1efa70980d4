"""Writes the node's files: programs, certificates, configuration, and the supervisor's instructions."""

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from video2mp3_localcluster.node import configuration, supervisor
from video2mp3_localcluster.node.addresses import FIRST, SECOND, NodeAddresses
from video2mp3_localcluster.node.cgroups import join_writes
from video2mp3_localcluster.node.components import ComponentCommand, component_commands, second_component_commands
from video2mp3_localcluster.node.namespaces import (
    create_data_folders,
    create_folders,
    network_writes,
    second_setup_commands,
    setup_commands,
)
from video2mp3_localcluster.node.pki import IDENTITIES, create_pki
from video2mp3_localcluster.steps.layout import NodeFiles, content_key

KUBECONFIG_IDENTITIES = ("controller-manager", "scheduler", "traefik", "volumes")
"""Of the components that only the first node has."""

Setup = list[list[str]]
"""Commands, one after the other."""


def build_documents(files: NodeFiles, pause_image: str, ingress_port: int) -> dict[str, str]:
    """The first node's configuration files by their name in the configuration folder."""
    documents: dict[str, dict[str, Any]] = {
        "scheduler.yaml": configuration.build_scheduler_configuration(files),
        "traefik.yaml": configuration.build_traefik_configuration(ingress_port),
        **{
            f"{identity}.kubeconfig": configuration.build_kubeconfig(files, identity)
            for identity in KUBECONFIG_IDENTITIES
        },
    }
    return {**_as_json(documents), **_documents_of_every_node(files, FIRST, pause_image)}


def build_second_documents(files: NodeFiles, pause_image: str) -> dict[str, str]:
    """The second node's configuration files."""
    return _documents_of_every_node(files, SECOND, pause_image)


def _documents_of_every_node(files: NodeFiles, node: NodeAddresses, pause_image: str) -> dict[str, str]:
    documents: dict[str, dict[str, Any]] = {
        "kubelet.yaml": configuration.build_kubelet_configuration(files, node),
        "proxy.yaml": configuration.build_proxy_configuration(files, node),
        "cni/10-pods.conflist": configuration.build_pod_network(files, node),
        "kubelet.kubeconfig": configuration.build_kubeconfig(files, f"{node.certificates}kubelet"),
        "proxy.kubeconfig": configuration.build_kubeconfig(files, "proxy"),
        "network-policies.kubeconfig": configuration.build_kubeconfig(files, "network-policies"),
    }
    return {
        **_as_json(documents),
        "containerd.toml": configuration.build_containerd_configuration(files, pause_image),
        "resolv.conf": "",
    }


def _as_json(documents: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """JSON is YAML too, and CNI reads only JSON."""
    return {name: json.dumps(document, indent=2) for name, document in documents.items()}


def build_instructions(files: NodeFiles) -> dict[str, Any]:
    """What the first node's supervisor is told, see :class:`video2mp3_localcluster.node.supervisor.Instructions`."""
    return _instructions(files, setup_commands(files), component_commands(files))


def build_second_instructions(files: NodeFiles) -> dict[str, Any]:
    """What the second node's supervisor is told."""
    return _instructions(files, second_setup_commands(files), second_component_commands(files))


def _instructions(files: NodeFiles, setup: Setup, commands: Sequence[ComponentCommand]) -> dict[str, Any]:
    return {
        "setup": setup,
        "writes": [*join_writes(files.cgroup), *network_writes()],
        "components": [
            {"name": command.name, "arguments": command.arguments, "after": command.after} for command in commands
        ],
        "environment": {
            # containerd looks for its shim, and the shim for runc, on the path.
            "PATH": f"{files.programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(files.state),
            "LC_ALL": "C.UTF-8",
        },
        "logs": str(files.logs),
        "report": str(files.report),
    }


def node_key(files: NodeFiles, versions: Sequence[str], pause_image: str) -> str:
    """Changes with everything that makes a running node different: programs, configuration, supervisor.

    The ingress port is left out: a node that found another port free is no other node.
    """
    documents = build_documents(files, pause_image, ingress_port=0)
    return content_key(
        json.dumps([documents, build_instructions(files)], sort_keys=True),
        repr(IDENTITIES),
        *versions,
        Path(supervisor.__file__),
    )


def second_node_key(files: NodeFiles, pause_image: str, key_of_first: str) -> str:
    """The same for the second node, which uses what the first one was made of."""
    parts = [build_second_documents(files, pause_image), build_second_instructions(files)]
    return content_key(json.dumps(parts, sort_keys=True), key_of_first)


def write_node_files(files: NodeFiles, programs: Mapping[str, Path], pause_image: str, ingress_port: int) -> None:
    """Write everything that a start of the first node needs; certificates that exist are kept."""
    create_folders(files)
    create_data_folders(files)
    _copy_programs(files, programs)
    if not (files.pki / "complete").exists():
        shutil.rmtree(files.pki, ignore_errors=True)
        create_pki(files.pki)
        (files.pki / "complete").touch()
    _write(files, build_documents(files, pause_image, ingress_port), build_instructions(files))
    write_admin_kubeconfig(files)


def write_second_node_files(files: NodeFiles, pause_image: str) -> None:
    """Write what a start of the second node needs beside the first one's programs and certificates."""
    create_folders(files)
    _write(files, build_second_documents(files, pause_image), build_second_instructions(files))


def _write(files: NodeFiles, documents: Mapping[str, str], instructions: dict[str, Any]) -> None:
    for name, text in documents.items():
        path = files.configuration / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copyfile(supervisor.__file__, files.supervisor)
    files.instructions.write_text(json.dumps(instructions, indent=2))


def write_admin_kubeconfig(files: NodeFiles) -> None:
    """Write the administrator's kubeconfig, with the certificates in it so that it can be copied elsewhere."""
    document = configuration.build_kubeconfig(files, "admin")
    _embed(document["clusters"][0]["cluster"], "certificate-authority")
    for name in ("client-certificate", "client-key"):
        _embed(document["users"][0]["user"], name)
    new = files.kubeconfig.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(yaml.safe_dump(document, sort_keys=False))
    new.replace(files.kubeconfig)


def _embed(section: dict[str, str], name: str) -> None:
    section[f"{name}-data"] = b64encode(Path(section.pop(name)).read_bytes()).decode()


def _copy_programs(files: NodeFiles, programs: Mapping[str, Path]) -> None:
    """Copy or, within one file system, link the programs; those that are there already are left alone."""
    for name, source in programs.items():
        target = files.programs / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and (target.samefile(source) or _same(target, source)):
            continue
        new = target.with_suffix(".new")
        new.unlink(missing_ok=True)
        try:
            os.link(source, new)
        except OSError:
            # Another file system, or one that forbids links.
            shutil.copy2(source, new)
        new.replace(target)


def _same(one: Path, other: Path) -> bool:
    mine, theirs = one.stat(), other.stat()
    return (mine.st_size, mine.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)
