"""⑤ How much memory a worker gets: twice as much after each time it was not enough, up to a ceiling. Pure."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

_MEBIBYTE: Final = 1024**2
_SUFFIXES: Final[dict[str, Fraction]] = {"": Fraction(1), "m": Fraction(1, 1000)} | {
    suffix: Fraction(base) ** power
    for base, suffixes in ((1000, ("k", "M", "G", "T", "P", "E")), (1024, ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")))
    for power, suffix in enumerate(suffixes, start=1)
}
_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)(m|[kMGTPE]|[KMGTPE]i)?")


def amount(quantity: str) -> Fraction:
    """A Kubernetes resource quantity (API reference, "Quantity"; exponents are not known here).

    The client library's own parser comes with all of the generated models. Raises ValueError.
    """
    found = _QUANTITY.fullmatch(quantity)
    if found is None:
        raise ValueError(f"{quantity!r} is not a quantity such as 512Mi or 500m")
    return Fraction(found[1]) * _SUFFIXES[found[2] or ""]


def in_bytes(quantity: str) -> int:
    """A quantity of memory in bytes. Raises ValueError."""
    return int(amount(quantity))


@dataclass(frozen=True)
class Memory:
    """What a worker's pod asks for and may use, as Kubernetes quantities."""

    request: str
    limit: str
    ceiling: str
    """The highest limit that it is ever given."""

    def after(self, out_of_memory: int) -> "Memory":
        """What it gets after so many attempts that ran out of memory."""
        most = max(in_bytes(self.ceiling), in_bytes(self.limit))
        if not out_of_memory:
            return self
        limit = min(in_bytes(self.limit) * 2**out_of_memory, most)
        request = min(in_bytes(self.request) * 2**out_of_memory, limit)
        return Memory(_quantity(request), _quantity(limit), self.ceiling)

    def grows(self, out_of_memory: int) -> bool:
        """Whether the last of so many attempts that ran out of memory had less than the next would have."""
        return in_bytes(self.after(out_of_memory).limit) > in_bytes(self.after(out_of_memory - 1).limit)


def _quantity(size: int) -> str:
    return f"{size // _MEBIBYTE}Mi" if size % _MEBIBYTE == 0 else str(size)
