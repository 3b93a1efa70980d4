"""Every component has a certificate that says who it is, and only that."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import NameOID

from video2mp3_localcluster.addresses import API_SERVICE_IP, NODE_IP
from video2mp3_localcluster.pki import IDENTITIES, create_pki


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


def test_only_root_reads_the_keys(folder: Path) -> None:
    assert {oct(key.stat().st_mode & 0o777) for key in folder.glob("*.key")} == {"0o600"}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_clients_cannot_pose_as_servers(folder: Path) -> None:
    usage = certificate(folder, "admin").extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
