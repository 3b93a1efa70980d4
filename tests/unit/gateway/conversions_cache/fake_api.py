"""A working stand-in for the Conversions in the Kubernetes API: lists in pages of one version, and watches."""

from collections.abc import Callable, Iterator

from tests.builders import ConversionBuilder, a_conversion
from tests.unit.gateway.fakes import Switch
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.names import ANNOTATION_RETRY
from video2mp3_gateway.ports.systems import Document, ListPage, VersionExpired, WatchEvent

PAGE = 3


class FakeApi:
    """A watch ends when everything was told; what is to happen meanwhile stands in `between`."""

    def __init__(self) -> None:
        self.switch = Switch("kubernetes")
        self.documents: dict[str, Document] = {}
        self.latest = 0
        self.calls: list[str] = []
        self.between: list[Callable[[], object]] = []
        """Done one by one, each before a page of a list is given, or when a watch has told all so far."""

        self.forgotten = 0
        """Of what happened up to this version nothing is known any more."""

        self.bookmarks = True
        self._events: list[tuple[int, WatchEvent]] = []
        self._snapshot: list[Document] = []
        self._listed_version = 0

    # --- what others do

    def put(self, builder: ConversionBuilder) -> Document:
        document = builder.versioned(self._next()).document
        name = document["metadata"]["name"]
        kind = "MODIFIED" if name in self.documents else "ADDED"
        self.documents[name] = document
        self._events.append((self.latest, WatchEvent(kind, document)))
        return document

    def remove(self, name: str) -> None:
        document = ConversionBuilder(self.documents.pop(name)).versioned(self._next()).document
        self._events.append((self.latest, WatchEvent("DELETED", document)))

    def forget(self) -> None:
        """Lose what happened so far, as an API server does that is restarted."""
        self.forgotten = self.latest

    # --- the port

    def create(self, conversion: Conversion) -> Document:
        self.switch.check("create")
        return self.put(a_conversion(conversion.metadata.name).owned_by(conversion.spec.owner))

    def get(self, name: str) -> Conversion | None:
        document = self.documents.get(name)
        return None if document is None else Conversion.model_validate(document)

    def delete(self, name: str, uid: str | None = None) -> Document | None:
        if name not in self.documents:
            return None
        builder = ConversionBuilder(self.documents[name])
        if builder.document["metadata"].get("finalizers"):
            return self.put(builder.deleted())
        self.remove(name)
        return None

    def retry(self, name: str, uid: str, moment: str) -> Document | None:
        builder = ConversionBuilder(self.documents[name])
        return self.put(builder.with_metadata(annotations={ANNOTATION_RETRY: moment}))

    def list_page(self, position: str) -> ListPage:
        self.calls.append("list")
        self.switch.check("list_page")
        if not position:
            self._listed_version = self.latest
            self._snapshot = [document for _name, document in sorted(self.documents.items())]
        start = int(position or 0)
        more = start + PAGE < len(self._snapshot)
        page = ListPage(self._snapshot[start : start + PAGE], self._listed_version, str(start + PAGE) if more else "")
        self._something_happens()
        if self._listed_version < self.forgotten:
            raise VersionExpired("410: the list took too long")
        return page

    def watch(self, version: int) -> Iterator[WatchEvent]:
        self.calls.append("watch")
        self.switch.check("watch")
        if version < self.forgotten:
            raise VersionExpired("410: too old")
        return self._told(version)

    def version(self) -> int:
        self.switch.check("version")
        return self.latest

    def ping(self) -> None:
        self.switch.check("ping")

    def _told(self, version: int) -> Iterator[WatchEvent]:
        while True:
            for since, event in [each for each in self._events if each[0] > version]:
                self.switch.check("event")
                yield event
                version = since
            if self.bookmarks:
                yield WatchEvent("BOOKMARK", {"metadata": {"resourceVersion": str(self.latest)}})
            if not self._something_happens():
                return

    def _something_happens(self) -> bool:
        if not self.between:
            return False
        self.between.pop(0)()
        return True

    def _next(self) -> int:
        self.latest += 1
        return self.latest
