"""Builds by Debian's buildah, in a store of our own, without a daemon, a registry or user namespaces."""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from video2mp3_localcluster.debian.mirrors import MOUNT_POINT
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.steps import StepLog

BUILD_SECONDS = 1800
"""Limit for one image; the slowest takes two minutes on two busy cores."""

EMULATED_SECONDS = 4 * BUILD_SECONDS
"""The same where every program runs under an emulator: ten times as long, and more on busy cores."""

RUN_ROOTS = Path("/run/video2mp3-images")

_CACHE_MOUNTS = "buildah-cache"
"""Where buildah keeps the content of cache mounts, such as pip's, below the temporary folder."""


class Buildah:
    """One store of images and layers below a folder, with the scratch space and caches of its builds.

    All are for one kind of processor: this machine's, or the one that `foreign` names.
    """

    def __init__(self, folder: Path, foreign: str = "") -> None:
        self._folder = folder
        self.foreign = foreign
        self._temporary = folder / "tmp"
        self.mount = folder / "mount"
        # What is mounted is remembered on a tmpfs, so that a restart of the machine forgets it; each store has its own.
        self.run_root = RUN_ROOTS / content_key(str(folder))

    def build(
        self,
        log: StepLog,
        reference: str,
        dockerfile: Path,
        context: Path,
        arguments: Mapping[str, str],
        trees: Mapping[str, Path] | None = None,
        target: str | None = None,
    ) -> None:
        """Build one image; unchanged layers are taken from the store.

        `trees` are folders to copy from, by name; `target` is the stage that becomes the image, by default the last.
        """
        command = self.build_command(reference, dockerfile, context, arguments, trees, target)
        seconds = EMULATED_SECONDS if self.foreign else BUILD_SECONDS
        with self._lock(fcntl.LOCK_SH):
            log.command(command, env=self._environment(), timeout_seconds=seconds)

    def build_command(
        self,
        reference: str,
        dockerfile: Path,
        context: Path,
        arguments: Mapping[str, str],
        trees: Mapping[str, Path] | None = None,
        target: str | None = None,
    ) -> list[str]:
        """Return the argv of a build: as root in a chroot, which needs neither runc nor a network of its own."""
        command = [*self._buildah("build"), "--isolation=chroot", "--layers", "--pull=never", "--format=docker"]
        command += [f"--arch={self.foreign}"] if self.foreign else []
        command += [f"--volume={self.mount}:{MOUNT_POINT}:ro", f"--tag={reference}", f"--file={dockerfile}"]
        command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
        command += [f"--build-context={name}={tree}" for name, tree in (trees or {}).items()]
        if target:
            command.append(f"--target={target}")
        return [*command, str(context)]

    def exists(self, log: StepLog, reference: str) -> bool:
        """Whether the store has the image."""
        with self._lock(fcntl.LOCK_SH):
            return reference in self._references(log)

    def save(self, log: StepLog, reference: str, archive: Path) -> None:
        """Write an image as an archive that container runtimes import under its name."""
        with self._lock(fcntl.LOCK_SH), self.scratch() as folder:
            whole = folder / "image.tar"
            log.command([*self._buildah("push"), reference, f"docker-archive:{whole}"], env=self._environment())
            whole.rename(archive)

    def push(self, log: StepLog, reference: str, archive: Path, name: str, digest: Path, *, insecure: bool) -> None:
        """Push an image to a registry, under a name there, and write its digest to a file.

        It is taken from its archive where the store has it no more. With `insecure` the registry may do without TLS.
        """
        with self._lock(fcntl.LOCK_SH):
            self._fetch(log, reference, archive)
            options = [f"--digestfile={digest}", *(["--tls-verify=false"] if insecure else [])]
            log.command([*self._buildah("push"), *options, reference, f"docker://{name}"], env=self._environment())

    def write_layout(self, log: StepLog, reference: str, archive: Path, folder: Path) -> None:
        """Write an image as an OCI image layout: the blobs as a registry will have them, so with their digests."""
        with self._lock(fcntl.LOCK_SH):
            self._fetch(log, reference, archive)
            command = [*self._buildah("push"), "--format=oci", reference, f"oci:{folder}"]
            log.command(command, env=self._environment())

    def _fetch(self, log: StepLog, reference: str, archive: Path) -> None:
        """Take an image from its archive where the store has it no more."""
        if reference not in self._references(log):
            log.command([*self._buildah("pull"), f"docker-archive:{archive}"], env=self._environment())

    def tidy(self, log: StepLog, kept: Collection[str]) -> None:
        """Remove images other than the kept ones, and what killed builds left behind; layers stay for later builds.

        Left for another time while another process builds.
        """
        try:
            with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
                log.command([*self._buildah("rm"), "--all"], env=self._environment())
                stale = sorted(set(self._references(log)) - set(kept))
                if stale:
                    log.command([*self._buildah("rmi"), "--force", *stale], env=self._environment())
                for left in self._temporary.iterdir():
                    if left.is_dir() and left.name != _CACHE_MOUNTS:
                        shutil.rmtree(left)
        except BlockingIOError:
            log.say("not tidied: another build is running")

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Held by one who builds on what he has just built: nothing is removed meanwhile."""
        with self._lock(fcntl.LOCK_SH):
            yield

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a folder beside the store that is removed afterwards."""
        self._environment()
        with tempfile.TemporaryDirectory(dir=self._temporary) as folder:
            yield Path(folder)

    def _references(self, log: StepLog) -> list[str]:
        listing = log.output([*self._buildah("images"), "--json"], env=self._environment())
        return [name for image in json.loads(listing) for name in image.get("names") or ()]

    @contextmanager
    def _lock(self, mode: int) -> Iterator[None]:
        """Builds share the store; removing something from it excludes them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, mode)
            yield

    def _buildah(self, verb: str) -> list[str]:
        # buildah leaves its store mounted; in a mount namespace of its own, that ends with it, even if it is killed.
        return ["unshare", "--mount", "buildah", f"--root={self._folder}/store", f"--runroot={self.run_root}", verb]

    def _environment(self) -> dict[str, str]:
        # Cache mounts live in the temporary folder, so pip's cache survives between builds.
        self._temporary.mkdir(parents=True, exist_ok=True)
        return {"TMPDIR": str(self._temporary)}
