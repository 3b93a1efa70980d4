"""The ConversionClasses as the gateway needs them."""

from typing import Protocol

from video2mp3_gateway.ports.systems import Document


class ClassesApi(Protocol):
    """The ConversionClasses in the Kubernetes API."""

    def all(self) -> list[Document]:
        """All there are; none where the cluster does not know the kind, or does not let the gateway see it.

        It takes seconds at the most. Raises DependencyUnavailable.
        """
        ...
