"""Throttling of logins, by client address and by account.

Counted in the memory of each replica: with N replicas somebody has at most N times the limit, which still makes
guessing hopeless, and a login needs no further store. By address every login counts, since each costs 0.1 s of a core
whatever its outcome. By account only rejected ones count, whether the account exists or not.
"""

import hashlib
import ipaddress
import time
from collections.abc import Callable

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RequestLimit
from flask_limiter.util import get_remote_address

from video2mp3_auth.credentials import parse_basic
from video2mp3_auth.errors import MalformedCredentials, MissingCredentials
from video2mp3_auth.problems import throttled

View = Callable[[], Response]
_IPV6_NETWORK_BITS = 64


def throttle(app: Flask, view: View, *, per_address: str, per_account: str, on_throttled: Callable[[], None]) -> View:
    """The view behind both limits. It calls `note_rejection` for what counts against the account."""
    # The fixed window is the one strategy whose memory storage forgets every key that it has seen.
    limiter = Limiter(get_remote_address, app=app, strategy="fixed-window", storage_uri="memory://")

    def refuse(limit: RequestLimit) -> None:
        on_throttled()
        raise throttled(max(1, limit.reset_at - int(time.time())))

    by_account = limiter.limit(per_account, key_func=_account, deduct_when=_is_rejected, on_breach=refuse)
    by_address = limiter.limit(per_address, key_func=_client, on_breach=refuse)
    limited: View = by_account(by_address(view))
    return limited


def note_rejection() -> None:
    """Count this request against the account that it named."""
    g.login_rejected = True


def client_network(address: str) -> str:
    """Whom an address belongs to: itself, or for IPv6 the /64 that one customer has all of."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _IPV6_NETWORK_BITS), strict=False))


def _is_rejected(_response: Response) -> bool:
    return bool(g.get("login_rejected", False))


def _client() -> str:
    return client_network(get_remote_address())


def _account() -> str:
    """A digest, so that the storage holds no addresses and every key has the same size."""
    try:
        email = parse_basic(request.headers.get("Authorization")).email
    except (MissingCredentials, MalformedCredentials):
        return "none"  # such requests are never counted against an account
    return hashlib.sha256(email.encode()).hexdigest()
