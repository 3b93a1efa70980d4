"""The commands `images` and `push`."""

import argparse
import json
import shlex

from video2mp3_localcluster.images.build import build_steps
from video2mp3_localcluster.images.catalogue import IMAGES
from video2mp3_localcluster.images.load import load_steps
from video2mp3_localcluster.images.push import Target, chart_version, push_steps
from video2mp3_localcluster.images.references import image_references, write_values
from video2mp3_localcluster.node import node
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.steps import StepFailed, run_steps

_DESCRIPTION = """\
Builds the container images whose inputs changed, and loads them into the local cluster if it runs. Prints the
references as JSON on standard output and writes them as values for the chart."""

_PUSH_DESCRIPTION = """\
Builds the five images of video2mp3, as far as they are not there yet, for processors such as this machine's, and pushes
them to a registry, by a login of `buildah login` or `docker login`. Prints what tells the chart of them."""


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the commands."""
    parser = subparsers.add_parser("images", help="build the container images and load them", description=_DESCRIPTION)
    names = [image.name for image in IMAGES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones (default: all): {', '.join(names)}")
    parser.set_defaults(run=run_images)
    summary = "build the five images of video2mp3 and push them to a registry"
    push = subparsers.add_parser("push", help=summary, description=_PUSH_DESCRIPTION)
    push.add_argument("registry", metavar="REGISTRY", help="its host, port and path: registry.example.com/video2mp3")
    push.add_argument("--tag", default=chart_version(), help="the images' tag (default: the chart's, %(default)s)")
    push.add_argument(
        "--insecure", action="store_true", help="the registry speaks HTTP, or nobody knows its certificate"
    )
    push.set_defaults(run=run_push)


def run_images(arguments: argparse.Namespace) -> int:
    """Build, load if the cluster runs, and print the references."""
    unknown = set(arguments.names) - {image.name for image in IMAGES}
    if unknown:
        raise StepFailed(f"there is no image {', '.join(sorted(unknown))}; there are: {_all_names()}")
    images = [image for image in IMAGES if not arguments.names or image.name in arguments.names]
    steps = build_steps(images)
    files = NodeFiles()
    if node.find(files) is not None:
        steps += load_steps(files, images)
    run_steps(steps)
    print(json.dumps({"values": str(write_values()), "images": image_references()}, indent=2))
    return 0


def run_push(arguments: argparse.Namespace) -> int:
    """Build, push, and print how the chart is told of it."""
    target = Target(arguments.registry, arguments.tag, arguments.insecure)
    run_steps(push_steps(target))
    print(shlex.join(target.chart_arguments()))
    return 0


def _all_names() -> str:
    return ", ".join(image.name for image in IMAGES)
