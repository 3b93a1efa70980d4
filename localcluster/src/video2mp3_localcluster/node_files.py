"""Writes the node's files: programs, certificates, configuration, and the supervisor's instructions."""

import json
import os
import shutil
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from video2mp3_localcluster import configuration, supervisor
from video2mp3_localcluster.cgroups import join_writes
from video2mp3_localcluster.components import component_commands
from video2mp3_localcluster.layout import NodeFiles, content_key
from video2mp3_localcluster.namespaces import create_folders, network_writes, setup_commands
from video2mp3_localcluster.pki import create_pki

KUBECONFIG_IDENTITIES = (
    "controller-manager",
    "scheduler",
    "proxy",
    "kubelet",
    "traefik",
    "volumes",
    "network-policies",
)


def build_documents(files: NodeFiles, pause_image: str, ingress_port: int) -> dict[str, str]:
    """The configuration files by their name in the configuration folder."""
    documents: dict[str, dict[str, Any]] = {
        "kubelet.yaml": configuration.build_kubelet_configuration(files),
        "proxy.yaml": configuration.build_proxy_configuration(files),
        "scheduler.yaml": configuration.build_scheduler_configuration(files),
        "traefik.yaml": configuration.build_traefik_configuration(ingress_port),
        "cni/10-pods.conflist": configuration.build_pod_network(files),
        **{
            f"{identity}.kubeconfig": configuration.build_kubeconfig(files, identity)
            for identity in KUBECONFIG_IDENTITIES
        },
    }
    return {
        # JSON is YAML too, and CNI reads only JSON.
        **{name: json.dumps(document, indent=2) for name, document in documents.items()},
        "containerd.toml": configuration.build_containerd_configuration(files, pause_image),
        "resolv.conf": "",
    }


def build_instructions(files: NodeFiles) -> dict[str, Any]:
    """What the supervisor is told, see :class:`video2mp3_localcluster.supervisor.Instructions`."""
    return {
        "setup": setup_commands(files),
        "writes": [*join_writes(), *network_writes()],
        "components": [
            {"name": command.name, "arguments": command.arguments, "after": command.after}
            for command in component_commands(files)
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
        *versions,
        Path(supervisor.__file__),
    )


def write_node_files(files: NodeFiles, programs: Mapping[str, Path], pause_image: str, ingress_port: int) -> None:
    """Write everything that a start of the node needs; certificates that exist are kept."""
    files.state.mkdir(parents=True, exist_ok=True)
    files.run.mkdir(parents=True, exist_ok=True)
    create_folders(files)
    _copy_programs(files, programs)
    if not (files.pki / "complete").exists():
        shutil.rmtree(files.pki, ignore_errors=True)
        create_pki(files.pki)
        (files.pki / "complete").touch()
    for name, text in build_documents(files, pause_image, ingress_port).items():
        path = files.configuration / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_admin_kubeconfig(files)
    shutil.copyfile(supervisor.__file__, files.supervisor)
    files.instructions.write_text(json.dumps(build_instructions(files), indent=2))


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
