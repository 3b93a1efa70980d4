"""The cluster's certificates: two authorities and a certificate of its own for every component.

The cluster's authority signs who may talk to the API server, and the servers' own certificates; etcd's authority signs
only the API server and etcd itself, so that no other certificate opens the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from video2mp3_localcluster.node.addresses import API_SERVICE_IP, CLUSTER_DOMAIN, FIRST, NODE_IP, SECOND, NodeAddresses

LIFETIME = timedelta(days=3650)
"""The cluster is replaced long before; an expiry in between would only break it."""

_LOOPBACK = IPv4Address("127.0.0.1")


@dataclass(frozen=True)
class Identity:
    """Who a certificate names: ``name`` is the user, ``groups`` are the user's groups."""

    file: str
    name: str
    groups: Sequence[str] = ()
    authority: str = "ca"
    hosts: Sequence[str | IPv4Address] = ()
    """Names and addresses under which it serves; a certificate without them is a client's only."""


def _of_node(node: NodeAddresses) -> tuple[Identity, ...]:
    """Of the servers on a node, and of its kubelet."""
    return (
        Identity(f"{node.certificates}node", node.name, hosts=[node.name, node.ip, _LOOPBACK]),
        Identity(f"{node.certificates}kubelet", f"system:node:{node.name}", ["system:nodes"]),
    )


IDENTITIES = (
    Identity("admin", "admin", ["system:masters"]),
    Identity(
        "apiserver",
        "kube-apiserver",
        hosts=[
            *("kubernetes", "kubernetes.default", "kubernetes.default.svc", f"kubernetes.default.svc.{CLUSTER_DOMAIN}"),
            *("localhost", API_SERVICE_IP, NODE_IP, _LOOPBACK),
        ],
    ),
    Identity("apiserver-kubelet", "kube-apiserver-kubelet-client", ["system:masters"]),
    Identity("apiserver-etcd", "kube-apiserver-etcd-client", authority="etcd-ca"),
    Identity("etcd", "etcd", authority="etcd-ca", hosts=["localhost", _LOOPBACK]),
    *_of_node(FIRST),
    *_of_node(SECOND),
    Identity("controller-manager", "system:kube-controller-manager"),
    Identity("scheduler", "system:kube-scheduler"),
    Identity("proxy", "system:kube-proxy"),
    Identity("traefik", "video2mp3:traefik"),
    Identity("volumes", "video2mp3:volumes"),
    Identity("network-policies", "video2mp3:network-policies"),
)


def create_pki(folder: Path) -> None:
    """Write authorities, certificates and the service account key into ``folder``: ``NAME.crt`` and ``NAME.key``."""
    folder.mkdir(mode=0o700, parents=True)
    now = datetime.now(UTC)
    authorities = {name: _authority(folder, name, now) for name in ("ca", "etcd-ca")}
    for identity in IDENTITIES:
        _issue(folder, identity, *authorities[identity.authority], now)
    account = generate_private_key(SECP256R1())
    _write_key(folder / "service-account.key", account)
    public = account.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "service-account.pub").write_bytes(public)


def create_self_signed(folder: Path, file: str, host: str) -> None:
    """Write a server's certificate for one host name, which is its own authority: ``FILE.crt`` and ``FILE.key``."""
    key = generate_private_key(SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    _write(folder, file, _self_signed(host, key, datetime.now(UTC), names), key)


def _authority(folder: Path, name: str, now: datetime) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    key = generate_private_key(SECP256R1())
    certificate = _self_signed(f"video2mp3-localcluster-{name}", key, now)
    _write(folder, name, certificate, key)
    return certificate, key


def _self_signed(name: str, key: EllipticCurvePrivateKey, now: datetime, *more: x509.ExtensionType) -> x509.Certificate:
    # Python 3.13 verifies strictly (RFC 5280): a certificate that signs itself needs the key usage and the identifier.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _builder(subject, subject, key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(key, hashes.SHA256())


def _issue(
    folder: Path, identity: Identity, issuer: x509.Certificate, issuer_key: EllipticCurvePrivateKey, now: datetime
) -> None:
    key = generate_private_key(SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in identity.groups]
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, identity.name)])
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if identity.hosts else [])]
    builder = (
        _builder(subject, issuer.subject, key, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if identity.hosts:
        names = [x509.DNSName(host) if isinstance(host, str) else x509.IPAddress(host) for host in identity.hosts]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    _write(folder, identity.file, builder.sign(issuer_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A machine whose clock is set back a little must still accept them.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=False,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: EllipticCurvePrivateKey) -> None:
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    _write_key(folder / f"{name}.key", key)


def _write_key(path: Path, key: EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
