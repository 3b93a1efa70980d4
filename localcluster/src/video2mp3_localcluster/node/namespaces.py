"""How a node's namespaces are prepared: private folders, harmless kernel settings, the network.

Everything here happens inside the node's own mount and network namespaces and ends with them; the host gets one network
interface, which the kernel removes together with its other end, and so does the first node for the second one.
"""

from pathlib import Path

from video2mp3_localcluster.node.addresses import (
    FIRST,
    HOST_INTERFACE,
    HOST_IP,
    NODE_IP,
    POD_NETWORK,
    SECOND,
    SECOND_INTERFACE,
    SERVICE_NETWORK,
    NodeAddresses,
)
from video2mp3_localcluster.node.components import HOST_NETWORK
from video2mp3_localcluster.steps.layout import NAME, NodeFiles

KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet wants to find; it would change them for the whole machine. It is shown these instead."""

NETWORK_SETTINGS = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/disable_ipv6": "1",
    "ipv6/conf/default/disable_ipv6": "1",
    "bridge/bridge-nf-call-iptables": "1",
}
"""Settings of the node's own network namespace. The last one lets Services work between pods on one bridge."""


def private_folders(files: NodeFiles) -> dict[Path, Path]:
    """Folders of the node that hide the host's: the path inside, and what is shown there.

    The kubelet, containerd and the CNI plugins have fixed paths below these; they must neither meet nor leave anything
    of the host's there.
    """
    return {
        Path("/var"): files.state / "private-var",
        Path("/tmp"): files.state / "private-tmp",  # noqa: S108 - the place itself, which is hidden
        Path("/run"): files.run / "private-run",
    }


def create_folders(files: NodeFiles) -> None:
    """Create what :func:`setup_commands` mounts, and the settings shown to the kubelet."""
    folders = private_folders(files)
    for folder in (
        *(files.logs, files.configuration / "kernel"),
        *(folders[Path("/var")] / "lib" / NAME, folders[Path("/var")] / "log"),
        *(folders[Path("/run")] / NAME, folders[Path("/run")] / "lock"),
        folders[Path("/tmp")],  # noqa: S108 - as above
    ):
        folder.mkdir(parents=True, exist_ok=True)
    folders[Path("/tmp")].chmod(0o1777)  # noqa: S108 - as above
    run = folders[Path("/var")] / "run"
    if not run.is_symlink():
        run.symlink_to("/run")
    for name, value in KERNEL_SETTINGS.items():
        _shown_setting(files, name).write_text(f"{value}\n")


def create_data_folders(files: NodeFiles) -> None:
    """Create what the first node alone has: where etcd and the volumes keep their data."""
    files.volumes.mkdir(exist_ok=True)
    (files.state / "etcd").mkdir(exist_ok=True)
    # etcd refuses a data folder that others may read.
    (files.state / "etcd").chmod(0o700)


def _shown_setting(files: NodeFiles, name: str) -> Path:
    return files.configuration / "kernel" / name.replace("/", ".")


def setup_commands(files: NodeFiles) -> list[list[str]]:
    """The commands that prepare the first node's namespaces, in order."""
    return [*_mounts(files), *_network()]


def second_setup_commands(files: NodeFiles) -> list[list[str]]:
    """The commands that prepare the second node's namespaces, in order."""
    return [*_mounts(files), *_second_network()]


def _mounts(files: NodeFiles) -> list[list[str]]:
    folders = private_folders(files)
    settings = [(_shown_setting(files, name), Path("/proc/sys") / name) for name in KERNEL_SETTINGS]
    return [
        *(["mount", "--bind", str(source), str(target)] for source, target in settings),
        # The cluster's own folders stay visible at their place inside the private ones.
        ["mount", "--bind", str(files.first.state), str(folders[Path("/var")] / "lib" / NAME)],
        ["mount", "--bind", str(files.first.run), str(folders[Path("/run")] / NAME)],
        *(["mount", "--rbind", str(source), str(target)] for target, source in folders.items()),
        # Volumes mounted by the kubelet have to appear in containers that mount the folder above them.
        ["mount", "--make-rshared", "/"],
    ]


def _network() -> list[list[str]]:
    on_host = ["nsenter", f"--net={HOST_NETWORK}", "ip"]
    prefix = POD_NETWORK.prefixlen
    return [
        *_bridge(FIRST),
        # The namespace that "1" names is the supervisor's: the process ids are those of the node.
        [*on_host, "link", "add", HOST_INTERFACE, "type", "veth", "peer", "name", "uplink", "netns", "1"],
        [*on_host, "address", "add", f"{HOST_IP}/{prefix}", "dev", HOST_INTERFACE],
        [*on_host, "link", "set", HOST_INTERFACE, "up"],
        *([*on_host, "route", "add", str(each), "via", str(NODE_IP)] for each in (SERVICE_NETWORK, SECOND.pod_network)),
        ["ip", "link", "set", "uplink", "master", "cni0", "up"],
        *_inner_routes(),
    ]


def _second_network() -> list[list[str]]:
    in_first = ["nsenter", f"--net={HOST_NETWORK}"]
    add = ["ip", "link", "add", SECOND_INTERFACE, "type", "veth", "peer", "name", "uplink", "netns", "1"]
    way_back = ["via", str(NODE_IP), "dev", "uplink", "onlink", "src", str(SECOND.ip)]
    return [
        *_bridge(SECOND),
        [*in_first, *add],
        ["ip", "link", "set", "uplink", "up"],
        *([*in_first, *command] for command in link_commands()),
        ["ip", "route", "add", str(POD_NETWORK), *way_back],
        *_inner_routes(),
    ]


def link_commands() -> list[list[str]]:
    """What connects the second node, in the first one's network; its route goes when the link goes down.

    The link has no address. Left to itself, the kernel would send from the first one it finds on any interface, to
    which the second node may have no way back.
    """
    way = ["via", str(SECOND.ip), "dev", SECOND_INTERFACE, "onlink", "src", str(NODE_IP)]
    return [
        ["ip", "link", "set", SECOND_INTERFACE, "up"],
        ["ip", "route", "add", str(SECOND.pod_network), *way],
    ]


def _bridge(node: NodeAddresses) -> list[list[str]]:
    return [
        ["ip", "link", "set", "lo", "up"],
        ["ip", "link", "add", "cni0", "address", node.bridge_hardware_address, "type", "bridge"],
        ["ip", "address", "add", f"{node.ip}/{node.pod_network.prefixlen}", "dev", "cni0"],
        ["ip", "link", "set", "cni0", "up"],
    ]


def _inner_routes() -> list[list[str]]:
    """Services have to be routable before kube-proxy's rules see them.

    Nothing else leaves the cluster, and what tries to is told so at once.
    """
    return [
        ["ip", "route", "add", str(SERVICE_NETWORK), "dev", "cni0"],
        ["ip", "route", "add", "unreachable", "default"],
    ]


def network_writes() -> list[tuple[str, str]]:
    """The network settings as (file, text); a setting that the kernel does not have is left out."""
    paths = {Path("/proc/sys/net") / name: value for name, value in NETWORK_SETTINGS.items()}
    return [(str(path), value) for path, value in paths.items() if path.exists()]
