"""Which images there are, and what each is made from."""

from dataclasses import dataclass
from pathlib import Path

STAND_INS_FOLDER = "localcluster/images"


@dataclass(frozen=True)
class Image:
    """One image: its short name, its Dockerfile and build context, and the paths that it is made from.

    All paths are relative to the repository.
    """

    name: str
    dockerfile: str
    context: str
    inputs: tuple[str, ...]

    @property
    def repository(self) -> str:
        """The image's name without a tag, as charts write it."""
        return f"video2mp3/{self.name}"


def _service(name: str, folder: str) -> Image:
    return Image(name, f"{folder}/Dockerfile", ".", (".dockerignore", "contracts", folder))


def _stand_in(name: str) -> Image:
    folder = f"{STAND_INS_FOLDER}/{name}"
    return Image(name, f"{folder}/Dockerfile", folder, (folder,))


SERVICES = (
    _service("gateway", "gateway"),
    _service("auth", "auth"),
    _service("operator", "operator"),
    _service("worker", "worker-image"),
    _service("notifier", "notifier"),
)
STAND_INS = tuple(_stand_in(name) for name in ("mysql", "mongo", "rabbitmq", "mailsink"))
IMAGES = SERVICES + STAND_INS


def repository_root() -> Path:
    """The checkout that this package is installed from (editable); images are built from its files."""
    return Path(__file__).resolve().parents[4]
