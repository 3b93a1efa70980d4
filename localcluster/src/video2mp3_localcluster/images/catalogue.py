"""Which images there are, and what each is made from."""

from dataclasses import dataclass, replace

from video2mp3_localcluster.programs.binaries import Artefact
from video2mp3_localcluster.programs.earlier_release import earlier_release
from video2mp3_localcluster.programs.mysql import mysql

STAND_INS_FOLDER = "localcluster/images"
SHARED_FOLDER = "contracts/image"
"""What the images `builder` and `runtime` are made from; the Python images start from these two."""


@dataclass(frozen=True)
class Image:
    """One image: its short name, its Dockerfile and build context, and the paths that it is made from.

    All paths are relative to the repository, or to `sources`.
    """

    name: str
    dockerfile: str
    context: str
    inputs: tuple[str, ...]
    in_chart: bool = True
    """Whether the chart runs it, and so has a value for it by this name."""

    on_python: bool = True
    """Whether it starts from `builder` and `runtime`."""

    tree: Artefact | None = None
    """A cached folder that is the Dockerfile's second build context, by the image's name."""

    sources: Artefact | None = None
    """A cached folder that it is built from instead of the checkout, and whose key stands for all of its inputs."""

    @property
    def repository(self) -> str:
        """The image's name without a tag, as charts write it."""
        return f"video2mp3/{self.name}"


def _service(name: str, folder: str) -> Image:
    return Image(name, f"{folder}/Dockerfile", ".", (".dockerignore", "contracts", folder))


def _stand_in(name: str, *, in_chart: bool = True, on_python: bool = True, tree: Artefact | None = None) -> Image:
    folder = f"{STAND_INS_FOLDER}/{name}"
    inputs = (folder, SHARED_FOLDER) if on_python else (folder,)
    dockerfile = f"{folder}/Dockerfile"
    return Image(name, dockerfile, folder, inputs, in_chart=in_chart, on_python=on_python, tree=tree)


def _earlier(service: Image, sources: Artefact) -> Image:
    return replace(service, name=f"earlier-{service.name}", inputs=(), in_chart=False, sources=sources)


SERVICES = (
    _service("gateway", "gateway"),
    _service("auth", "auth"),
    _service("operator", "operator"),
    _service("worker", "worker-image"),
    _service("notifier", "notifier"),
)
STAND_INS = (
    _stand_in("mysql", on_python=False, tree=mysql()),
    _stand_in("mongo"),
    _stand_in("rabbitmq", on_python=False),
    _stand_in("mailsink", in_chart=False),
)
IMAGES = SERVICES + STAND_INS
EARLIER = tuple(_earlier(service, earlier_release()) for service in SERVICES)
"""The services of an earlier release, from which the tests upgrade."""
