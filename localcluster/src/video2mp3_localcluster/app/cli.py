"""The command line: ``localcluster up``, ``down``, ``status`` and the others that its help lists."""

import argparse
import sys
from collections.abc import Callable, Sequence

from video2mp3_localcluster.demo import demo
from video2mp3_localcluster.images import cli as images
from video2mp3_localcluster.node import cluster, node
from video2mp3_localcluster.node.image_loading import load_steps
from video2mp3_localcluster.node.readiness import component_report
from video2mp3_localcluster.programs.binaries import kubernetes_version
from video2mp3_localcluster.release import cli as release
from video2mp3_localcluster.steps.layout import NodeFiles, cache_dir
from video2mp3_localcluster.steps.machine_lock import machine_lock
from video2mp3_localcluster.steps.step_log import StepFailed
from video2mp3_localcluster.steps.steps import run_steps

FAILED = 1
INTERRUPTED = 130

Command = Callable[[argparse.Namespace], int]


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets ``run`` to what carries it out."""
    parser = argparse.ArgumentParser(
        prog="localcluster",
        description="A real Kubernetes of one or two nodes, built from source, for machines without Docker. Needs root "
        "on Debian or a relative of it.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    up = _add(commands, "up", _up, "start the cluster, or heal or replace the one that is there")
    demo.add_nodes_option(up)
    _add(commands, "down", _down, "end the cluster and remove everything of it but the build cache")
    _add(commands, "status", _status, "say how each part of the cluster is; fails if one is not well")
    load = _add(commands, "load", _load, "bring container images into the cluster")
    load.add_argument(
        "image", nargs="+", metavar="IMAGE-OR-TAR", help="an archive's path, or an image in buildah's storage"
    )
    _add(commands, "kubeconfig", _kubeconfig, "print the path of the administrator's kubeconfig")
    demo.add_parsers(commands)
    images.add_parsers(commands)
    release.add_parsers(commands)
    _add(commands, "build", _build, "only make and cache what `up` needs (may run beside an image build)")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, summary: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
    command.set_defaults(run=run)
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0, 1 for a failure (explained on standard error), 130 interrupted."""
    options = build_parser().parse_args(arguments)
    run: Command = options.run
    try:
        return run(options)
    except StepFailed as failure:
        print(failure, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("interrupted; `localcluster up` goes on from here", file=sys.stderr)
        return INTERRUPTED


def _up(options: argparse.Namespace) -> int:
    files = NodeFiles()
    with machine_lock():
        cluster.up(files, options.nodes)
    print(f"Kubernetes {kubernetes_version()} is up.\n  ingress     {cluster.ingress_url(files)}")
    print(f"  kubeconfig  {files.kubeconfig}")
    return 0


def _down(_options: argparse.Namespace) -> int:
    with machine_lock():
        cluster.down(NodeFiles())
    return 0


def _running_node(files: NodeFiles) -> int:
    holder = node.find(files)
    if holder is None:
        raise StepFailed("no cluster is running on this machine; `localcluster up` starts one")
    return holder


def _status(_options: argparse.Namespace) -> int:
    files = NodeFiles()
    holder = _running_node(files)
    found = cluster.problems(files)
    print(f"Kubernetes {kubernetes_version()} (process {holder})")
    for name, problem in found.items():
        print(f"  {name:<23} {problem or 'ok'}")
    for each in node.running(files):
        for name, entry in component_report(each).items():
            if entry["restarts"]:
                print(f"  {name} was restarted {entry['restarts']} times (log: {each.logs / name}.log)")
    print(f"  ingress                 {cluster.ingress_url(files)}\n  kubeconfig              {files.kubeconfig}")
    return FAILED if any(found.values()) else 0


def _load(options: argparse.Namespace) -> int:
    files = NodeFiles()
    _running_node(files)
    run_steps(load_steps(files, options.image))
    return 0


def _kubeconfig(_options: argparse.Namespace) -> int:
    files = NodeFiles()
    _running_node(files)
    print(files.kubeconfig)
    return 0


def _build(_options: argparse.Namespace) -> int:
    cluster.build()
    print(cache_dir() / "bin")
    return 0
