"""Chooses what stands behind each port, from the settings. Nothing else does, but `file_stores` for its two."""

from dataclasses import dataclass

from video2mp3_gateway import file_stores, kubernetes_api
from video2mp3_gateway.auth_service import AuthService
from video2mp3_gateway.capacity import THREADS
from video2mp3_gateway.jwks import KeySet
from video2mp3_gateway.ports import ConversionClient, LoginClient, Mp3Store, SourceStore, TokenVerifier
from video2mp3_gateway.settings import GatewaySettings
from video2mp3_gateway.tokens import JwksTokenVerifier


@dataclass(frozen=True)
class Ports:
    """Every outside system."""

    tokens: TokenVerifier
    logins: LoginClient
    sources: SourceStore
    mp3s: Mp3Store
    conversions: ConversionClient


def connect(settings: GatewaySettings) -> Ports:
    """The real systems. Nothing is contacted before it is needed."""
    auth = AuthService(settings.auth_url)
    stores = file_stores.connect(settings)
    api = kubernetes_api.connect(settings.kubeconfig, connections=THREADS)
    return Ports(
        tokens=JwksTokenVerifier(KeySet(auth.key_set), settings.jwt_issuer, settings.jwt_audience),
        logins=auth,
        sources=stores.sources,
        mp3s=stores.mp3s,
        conversions=kubernetes_api.KubernetesConversions(api, settings.conversion_namespace),
    )
