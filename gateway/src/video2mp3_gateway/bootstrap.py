"""Chooses what stands behind each port, from the settings. Nothing else does."""

from dataclasses import dataclass

from video2mp3_contracts import mongo
from video2mp3_contracts.storage import MP3S_DATABASE, VIDEOS_DATABASE
from video2mp3_gateway import kubernetes_api, mongodb
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
    stores = mongo.connect(settings.mongodb_uri.get_secret_value(), "video2mp3-gateway")
    api = kubernetes_api.connect(settings.kubeconfig, connections=THREADS)
    return Ports(
        tokens=JwksTokenVerifier(KeySet(auth.key_set), settings.jwt_issuer, settings.jwt_audience),
        logins=auth,
        sources=mongodb.GridFSSources(stores[VIDEOS_DATABASE]),
        mp3s=mongodb.GridFSMp3s(stores[MP3S_DATABASE]),
        conversions=kubernetes_api.KubernetesConversions(api, settings.conversion_namespace),
    )
