"""Says early, and in words that help, why a cluster cannot run on this machine."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from video2mp3_localcluster.node.addresses import HOST_INTERFACE, NETWORKS
from video2mp3_localcluster.steps.layout import NAME
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

MACHINES = ("x86_64", "aarch64")

REQUIRED_PROGRAMS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "ip": "iproute2",
    "mount": "mount",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "unshare": "util-linux",
}
"""Programs that every Debian has, and the package that brings each."""

ALTERNATIVE = (
    "The chart runs on any Kubernetes: with kind or minikube (which need Docker), build the images as "
    "docs/operations.md says, load them, and run `helm install video2mp3 charts/video2mp3`."
)


def check_machine(log: StepLog) -> None:
    """Raise :class:`StepFailed` with everything that is missing, and what else can be done."""
    problems = [*missing_basics(), *missing_programs()]
    problems = problems or [*missing_privileges(), *network_conflicts(_routes())]
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise StepFailed(f"the local cluster cannot run here:\n{listed}\n{ALTERNATIVE}")
    log.say("nothing is missing")


def missing_basics() -> Iterable[str]:
    """System, processor and user."""
    if platform.system() != "Linux":
        yield f"it needs Linux; this is {platform.system()}"
    if platform.machine() not in MACHINES:
        yield f"it needs an amd64 or arm64 processor; this one is {platform.machine()}"
    if os.geteuid() != 0:
        yield "it needs root (containers, mounts, network interfaces); run it with sudo"


def missing_programs() -> Iterable[str]:
    """What a Debian brings and this machine lacks."""
    for program, package in REQUIRED_PROGRAMS.items():
        if shutil.which(program) is None:
            yield f"{program} is not installed (on Debian or Ubuntu it is in the package {package})"


def missing_privileges() -> Iterable[str]:
    """Whether namespaces and mounts may be made: root in a container often may not."""
    attempt = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "mount", "-t", "tmpfs", "none", "/run"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if attempt.returncode != 0:
        yield f"it needs the privilege to make namespaces and mounts (CAP_SYS_ADMIN): {attempt.stderr.strip()}"
    if not Path("/sys/fs/cgroup").is_mount():
        yield "it needs the cgroup file system at /sys/fs/cgroup"
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        _load_module("overlay")
        if "overlay" not in Path("/proc/filesystems").read_text().split():
            yield "it needs the overlay file system in the kernel"
    if not Path("/proc/sys/net/bridge").exists():
        _load_module("br_netfilter")


def _load_module(name: str) -> None:
    """Best effort: what matters is whether the feature is there afterwards."""
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", name], capture_output=True, timeout=30, check=False)


def _routes() -> list[dict[str, Any]]:
    routes = subprocess.run(["ip", "-json", "route"], capture_output=True, text=True, timeout=30, check=True)
    parsed: list[dict[str, Any]] = json.loads(routes.stdout or "[]")
    return parsed


def network_conflicts(routes: Iterable[dict[str, Any]]) -> Iterable[str]:
    """The machine's routes (as ``ip -json route`` lists them) into the networks that the cluster uses."""
    for route in routes:
        if route["dst"] == "default" or route.get("dev") == HOST_INTERFACE:
            continue
        destination = IPv4Network(route["dst"])
        for network in NETWORKS:
            # A route that merely contains the network (such as 10.0.0.0/8 to an office) is overruled by ours.
            if destination.subnet_of(network) or destination == network:
                yield f"{NAME} uses the network {network}, but this machine routes {destination} to {route.get('dev')}"
