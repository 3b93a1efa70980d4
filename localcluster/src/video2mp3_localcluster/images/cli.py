"""The command `images`."""

import argparse
import json

from video2mp3_localcluster import node
from video2mp3_localcluster.images.build import build_steps
from video2mp3_localcluster.images.catalogue import IMAGES
from video2mp3_localcluster.images.load import load_steps
from video2mp3_localcluster.images.references import image_references, write_values
from video2mp3_localcluster.layout import NodeFiles
from video2mp3_localcluster.steps import StepFailed, run_steps

_DESCRIPTION = """\
Builds the container images whose inputs changed, and loads them into the local cluster if it runs. Prints the
references as JSON on standard output and writes them as values for the chart."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = subparsers.add_parser("images", help="build the container images and load them", description=_DESCRIPTION)
    names = [image.name for image in IMAGES]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones (default: all): {', '.join(names)}")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
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


def _all_names() -> str:
    return ", ".join(image.name for image in IMAGES)
