"""A wall clock that a test sets, for one process: Debian's libfaketime. The monotonic clock goes on evenly."""

from collections.abc import Mapping
from pathlib import Path

from tests.servers.process import ServerError

_LIBRARIES = Path("/usr/lib")


class SetClock:
    """Right at first; every process that is started with `environment` goes by it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that a process needs."""
        library = next(_LIBRARIES.glob("*/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            raise ServerError("libfaketime is not installed: apt-get install libfaketime")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, hours: int) -> None:
        """Set the clock to so many hours ahead of the right time."""
        # Replaced as a whole: the process reads it at every look at the clock.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{hours * 3600:+d}\n")
        fresh.replace(self._file)
