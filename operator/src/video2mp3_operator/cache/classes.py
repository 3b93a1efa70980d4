"""④ The ConversionClasses there are, as they were last listed."""

from collections.abc import Iterable, Iterator, Mapping

from video2mp3_contracts.api.conversion_class import Quota
from video2mp3_operator.objects.classes import ConversionClass


class ClassCache(Mapping[str, ConversionClass]):
    """By name."""

    def __init__(self) -> None:
        self._classes: dict[str, ConversionClass] = {}
        self.quotas: dict[str, Quota] = {}
        """Of the classes that are understood, by their names."""

    def __getitem__(self, name: str) -> ConversionClass:
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)

    @property
    def default(self) -> ConversionClass | None:
        """The class of who names none: of several the newest, as it is with StorageClasses."""
        marked = [each for each in self.values() if each.is_default]
        return max(marked, key=lambda each: (each.created_at is not None, each.created_at, each.name), default=None)

    def replace(self, classes: Iterable[ConversionClass]) -> bool:
        """These are all; answers whether that is news."""
        found = {each.name: each for each in classes}
        if found == self._classes:
            return False
        self._classes = found
        self.quotas.clear()
        self.quotas.update({name: each.spec.quota for name, each in found.items() if each.spec})
        return True
