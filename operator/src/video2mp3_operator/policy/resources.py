"""⑤ What a worker's container may ask for, judged as the API server judges pods. Pure.

A Job whose pod Kubernetes does not take would cost every Conversion that comes; an operator that does not start, none.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from video2mp3_operator.policy.memory import amount

Resources = Mapping[str, Mapping[str, str]]


def complaints(resources: Resources) -> Iterator[str]:
    """What Kubernetes would refuse of `requests` and `limits`, in sentences (API reference, "ResourceRequirements").

    Raises ValueError for what is no quantity.
    """
    limits = {name: (text, amount(text)) for name, text in resources["limits"].items()}
    for name, text in resources["requests"].items():
        yield from _of_request(name, text, limits.get(name))
    for name, (text, limit) in limits.items():
        if "/" in name and limit % 1:
            yield f"limits.{name} ({text}) must be a whole number"


def _of_request(name: str, text: str, limit: tuple[str, Fraction] | None) -> Iterator[str]:
    wanted = amount(text)
    if _is_never_shared(name):
        if limit is None or limit[1] != wanted:
            yield f"requests.{name} ({text}) must have a limit that is the same"
    elif limit is not None and wanted > limit[1]:
        yield f"requests.{name} ({text}) must not be more than limits.{name} ({limit[0]})"


def _is_never_shared(name: str) -> bool:
    """Whether nobody is given more of it than they asked for: devices and the like, and huge pages."""
    return "/" in name or name.startswith("hugepages-")
