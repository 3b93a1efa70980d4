"""Chooses what stands behind each port, from the settings. Nothing else does, but `file_stores` for its two."""

import gc
from dataclasses import dataclass

from video2mp3_gateway.adapters import kubernetes_requests
from video2mp3_gateway.adapters.auth_service import AuthService
from video2mp3_gateway.adapters.jwks import KeySet
from video2mp3_gateway.adapters.kubernetes_api import KubernetesConversions
from video2mp3_gateway.adapters.kubernetes_classes import KubernetesClasses
from video2mp3_gateway.adapters.tokens import JwksTokenVerifier
from video2mp3_gateway.app import file_stores
from video2mp3_gateway.app.settings import GatewaySettings
from video2mp3_gateway.conversions_cache.cache import ConversionsCache
from video2mp3_gateway.conversions_cache.client import CachedConversions
from video2mp3_gateway.conversions_cache.reflector import Reflector
from video2mp3_gateway.ports.classes import ClassesApi
from video2mp3_gateway.ports.systems import ConversionClient, LoginClient, Mp3Store, SourceStore, TokenVerifier
from video2mp3_gateway.server.capacity import THREADS


@dataclass(frozen=True)
class Ports:
    """Every outside system."""

    tokens: TokenVerifier
    logins: LoginClient
    sources: SourceStore
    mp3s: Mp3Store
    conversions: ConversionClient
    classes: ClassesApi


def connect(settings: GatewaySettings) -> Ports:
    """The real systems. Nothing is contacted before it is needed, but the Conversions are read from now on."""
    auth = AuthService(settings.auth_url)
    stores = file_stores.connect(settings)
    client = kubernetes_requests.connect(settings.kubeconfig, connections=THREADS + 1)  # and one for the watch
    api = KubernetesConversions(client, settings.conversion_namespace)
    cache = ConversionsCache()
    Reflector(api, cache, on_grown=_spare_the_collector).start()
    return Ports(
        tokens=JwksTokenVerifier(KeySet(auth.key_set), settings.jwt_issuer, settings.jwt_audience),
        logins=auth,
        sources=stores.sources,
        mp3s=stores.mp3s,
        conversions=CachedConversions(api, cache),
        classes=KubernetesClasses(client),
    )


def _spare_the_collector() -> None:
    """Keep Python's cyclic garbage collector off what is there now.

    It would look at each of 100,000 records whenever it looks at everything, and nobody is answered for a sixth of a
    second. They are in no cycle, so they are freed all the same when they are replaced.
    """
    gc.collect()
    gc.freeze()
