"""The commands `prepare` and `demo`: everything set up, and one video through all nine steps."""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from video2mp3_localcluster.demo import mail_server
from video2mp3_localcluster.demo.journey import Journey
from video2mp3_localcluster.demo.prepare import demo_steps, test_steps
from video2mp3_localcluster.demo.release import Release
from video2mp3_localcluster.images.catalogue import EARLIER, IMAGES, Image
from video2mp3_localcluster.images.load import load_steps
from video2mp3_localcluster.node import cluster
from video2mp3_localcluster.node.preflight import check_machine
from video2mp3_localcluster.steps.layout import NodeFiles, log_dir
from video2mp3_localcluster.steps.machine_lock import machine_lock
from video2mp3_localcluster.steps.step_log import StepLog
from video2mp3_localcluster.steps.steps import Step, run_steps

NAMESPACE = "video2mp3"
ACCOUNT = "you@example.com"

_FAREWELL = """
Everything keeps running; `make down` removes it.

  REST API   {url}
  mails      http://{mails}:{mail_port}
  account    {email}   password: {password}
  kubectl    export KUBECONFIG={kubeconfig}; {kubectl} -n {namespace} get conversions
  files      {folder}

Done in {seconds:.0f} s.
"""


def add_parsers(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the commands."""
    summary = "set up the cluster and the product, and convert one video before your eyes"
    commands.add_parser("demo", help=summary, description=summary).set_defaults(run=_demo)
    summary = "everything that the tests need: programs, images, servers, and the running cluster"
    prepare = commands.add_parser("prepare", help=summary, description=summary)
    add_nodes_option(prepare)
    what = "with the images of an earlier release, which `make test-upgrade` upgrades from"
    prepare.add_argument("--earlier", action="store_true", help=what)
    prepare.set_defaults(run=_prepare)


def add_nodes_option(parser: argparse.ArgumentParser) -> None:
    """Let a command that starts the cluster say with how many nodes."""
    what = "how many nodes (default: 1, which takes a second one away)"
    parser.add_argument("--nodes", type=int, choices=(1, 2), default=1, help=what)


def _prepare(options: argparse.Namespace) -> int:
    images = IMAGES + EARLIER if options.earlier else IMAGES
    _cluster_with_images(test_steps(images), images, options.nodes)
    return 0


def _demo(_options: argparse.Namespace) -> int:
    started = time.monotonic()
    files = NodeFiles()
    _cluster_with_images(demo_steps(), IMAGES)
    release = Release(NAMESPACE, "*", cluster.ingress_url(files), ACCOUNT)
    run_steps([Step("chart", release.install)])
    folder = Path(tempfile.gettempdir()) / "video2mp3-demo"
    folder.mkdir(exist_ok=True)
    log = StepLog(log_dir() / "demo.log")
    Journey(release, log, folder, print).run()
    _say_farewell(release, log, folder, time.monotonic() - started)
    return 0


def _cluster_with_images(steps: list[Step], images: Sequence[Image], nodes: int = 1) -> None:
    run_steps([Step("machine", check_machine)])
    run_steps(steps)
    with machine_lock():
        cluster.start(NodeFiles(), nodes)
    run_steps(load_steps(NodeFiles(), images))


def _say_farewell(release: Release, log: StepLog, folder: Path, seconds: float) -> None:
    account = release.secret(log, f"{release.name}-account")
    print(
        _FAREWELL.format(
            url=release.url,
            mails=release.address(log, mail_server.NAME),
            mail_port=mail_server.HTTP_PORT,
            email=account["email"],
            password=account["password"],
            kubeconfig=release.files.kubeconfig,
            kubectl=release.files.programs / "kubectl",
            namespace=release.namespace,
            folder=folder,
            seconds=seconds,
        )
    )
