"""Every component has a certificate that says who it is, and only that."""

import contextlib
import ssl
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from video2mp3_localcluster.node.addresses import API_SERVICE_IP, FIRST, NODE_IP, SECOND
from video2mp3_localcluster.node.pki import IDENTITIES, create_pki, create_self_signed


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("state") / "pki"
    create_pki(path)
    return path


def certificate(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda identity: identity.file)
def test_a_certificate_names_its_user_and_groups_and_is_signed_by_one_authority(identity, folder: Path) -> None:
    issued = certificate(folder, identity.file)
    names = [name.value for name in issued.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [name.value for name in issued.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    assert (names, groups) == ([identity.name], list(identity.groups))
    issued.verify_directly_issued_by(certificate(folder, identity.authority))
    other = {"ca": "etcd-ca", "etcd-ca": "ca"}[identity.authority]
    with pytest.raises((ValueError, InvalidSignature)):
        issued.verify_directly_issued_by(certificate(folder, other))


def test_the_api_server_answers_under_all_its_addresses(folder: Path) -> None:
    names = certificate(folder, "apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {API_SERVICE_IP, NODE_IP, IPv4Address("127.0.0.1")} <= set(names.get_values_for_type(x509.IPAddress))
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)


def test_each_kubelet_answers_under_its_nodes_address_alone(folder: Path) -> None:
    for node, other in ((FIRST, SECOND), (SECOND, FIRST)):
        issued = certificate(folder, f"{node.certificates}node")
        names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        addresses = names.get_values_for_type(x509.IPAddress)
        assert node.ip in addresses
        assert other.ip not in addresses


def test_a_server_that_is_its_own_authority(tmp_path: Path) -> None:
    """By the rules of Python 3.13, which is strict about what such a certificate says of itself."""
    create_self_signed(tmp_path, "tls", "mailsink")
    shake_hands(tmp_path, "mailsink")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(tmp_path, "elsewhere")


def shake_hands(folder: Path, host: str) -> None:
    """Between a server with the pair `tls` and a strict client that trusts it, in memory."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    trusting = ssl.create_default_context(cafile=str(folder / "tls.crt"))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [trusting.wrap_bio(back, there, server_hostname=host), serving.wrap_bio(there, back, server_side=True)]
    for side in (*sides, *sides, sides[0]):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert sides[0].version()


def test_only_root_reads_the_keys(folder: Path) -> None:
    assert {oct(key.stat().st_mode & 0o777) for key in folder.glob("*.key")} == {"0o600"}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_clients_cannot_pose_as_servers(folder: Path) -> None:
    usage = certificate(folder, "admin").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
