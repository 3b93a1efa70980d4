"""④ Jobs and pods by the uid of their Conversion. Pure."""

from typing import TypeVar

from video2mp3_operator.objects.jobs import Job
from video2mp3_operator.objects.pods import Pod

_Seen = TypeVar("_Seen", Job, Pod)


def keep_newer(group: dict[str, _Seen], seen: _Seen) -> bool:
    """Take it in, unless what is known is newer."""
    before = group.get(seen.name)
    if before is not None and before.resource_version >= seen.resource_version:
        return False
    group[seen.name] = seen
    return True


def forget(groups: dict[str, dict[str, _Seen]], uid: str, name: str) -> bool:
    """Forget it; answers whether it was known."""
    group = groups.get(uid)
    if group is None or group.pop(name, None) is None:
        return False
    if not group:
        del groups[uid]
    return True
