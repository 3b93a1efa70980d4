"""The commands `release` and `publish`."""

import argparse
import os
from collections.abc import Mapping

from video2mp3_localcluster.debian.architectures import ARCHITECTURES
from video2mp3_localcluster.images.push import Target
from video2mp3_localcluster.release.publish import Login, publish_steps
from video2mp3_localcluster.release.release import CHARTS, Plan, make_release
from video2mp3_localcluster.steps.layout import repository_root
from video2mp3_localcluster.steps.steps import run_steps

_DESCRIPTION = """\
Makes a release of the checkout: cuts the changelog, sets the version and commits that, unless it is done; builds the
images for every processor, and writes them, the chart, lists of contents, provenance and checksums into dist/VERSION.
Pushes and tags nothing."""

_PUBLISH_DESCRIPTION = """\
Puts the images and the chart of dist/VERSION into a registry, by a login of `buildah login` or `docker login`, or by
that of the variables REGISTRY_USER and REGISTRY_PASSWORD."""


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the commands."""
    release = subparsers.add_parser("release", help="make a release of the checkout", description=_DESCRIPTION)
    release.add_argument("version", metavar="VERSION", help="1.2.3, or 1.2.3-rc.1")
    release.add_argument(
        "--architectures", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES, help="default: %(default)s"
    )
    release.add_argument("--registry", default="", help="where the images will be, for the chart's values")
    release.add_argument("--source", default="", help="the repository's address, for the chart and the provenance")
    release.add_argument("--builder", default=Plan.builder, help="the machine's identity, as a URI")
    release.set_defaults(run=run_release)
    summary = "put a release into a registry"
    publish = subparsers.add_parser("publish", help=summary, description=_PUBLISH_DESCRIPTION)
    publish.add_argument("version", metavar="VERSION", help="one that is in dist/")
    publish.add_argument("registry", metavar="REGISTRY", help="its host, port and path: registry.example.com/video2mp3")
    publish.add_argument("--insecure", action="store_true", help="the registry speaks HTTP")
    publish.set_defaults(run=run_publish)


def run_release(options: argparse.Namespace) -> int:
    """Make it, and say where it is and what comes next."""
    plan = Plan(
        repository_root(),
        options.version,
        tuple(dict.fromkeys(options.architectures)),
        options.registry,
        options.source,
        options.builder,
    )
    folder = make_release(plan)
    print(f"{folder.relative_to(plan.root)}/")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        print(f"  {path.stat().st_size:>12,}  {path.relative_to(folder)}")
    print(
        f"next: git tag --annotate v{options.version}, push it, and make publish VERSION={options.version} REGISTRY=…"
    )
    return 0


def run_publish(options: argparse.Namespace) -> int:
    """Push it, and say how it is installed."""
    target = Target(options.registry, options.version, options.insecure)
    run_steps(publish_steps(repository_root() / "dist" / options.version, target, login_of(os.environ)))
    chart = f"oci://{target.registry}/{CHARTS}/video2mp3"
    print(f"helm install video2mp3 {chart} --version {options.version} --set images.registry={target.registry} …")
    return 0


def login_of(environment: Mapping[str, str]) -> Login | None:
    """The login that the environment names, if it does."""
    user, password = environment.get("REGISTRY_USER", ""), environment.get("REGISTRY_PASSWORD", "")
    return Login(user, password) if user and password else None
