"""Keys that seal: read from files, or made once by a demo authority that nobody should trust."""

import datetime as dt
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from django.utils import timezone
from pyhanko.keys import (
    load_certs_from_pemder_data,
    load_private_key_from_pemder_data,
)
from pyhanko.sign.signers import SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from crm.kit.pdf.errors import PdfError

_ROOT_YEARS, _SEAL_YEARS = 20, 10
_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Signer:
    """A certificate with its private key and the certificates that lead to a root."""

    name: str
    engine: SimpleSigner

    @classmethod
    def from_pem(
        cls,
        key: Path,
        certificate: Path,
        *,
        chain: Sequence[Path] = (),
        passphrase: bytes | None = None,
    ) -> "Signer":
        """Read a private key and its certificate (PEM or DER), or raise PdfError."""
        try:
            private = load_private_key_from_pemder_data(key.read_bytes(), passphrase=passphrase)
            own, *others = load_certs_from_pemder_data(certificate.read_bytes())
            for path in chain:
                others += load_certs_from_pemder_data(path.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise PdfError("pdf_key_unreadable") from error
        return cls._of(own, private, others)

    @classmethod
    def from_pkcs12(cls, path: Path, passphrase: bytes | None = None) -> "Signer":
        """Read a PKCS#12 file (.p12, .pfx), or raise PdfError."""
        try:
            bundle = pkcs12.load_pkcs12(path.read_bytes(), passphrase)
            if bundle.key is None or bundle.cert is None:
                raise ValueError("no key or no certificate")
            der = serialization.Encoding.DER
            private = load_private_key_from_pemder_data(
                bundle.key.private_bytes(
                    der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ),
                passphrase=None,
            )
            own, *others = [
                asn1_x509.Certificate.load(holder.certificate.public_bytes(der))
                for holder in (bundle.cert, *bundle.additional_certs)
            ]
        except (OSError, ValueError, TypeError) as error:
            raise PdfError("pdf_key_unreadable") from error
        return cls._of(own, private, others)

    @classmethod
    def _of(
        cls, own: asn1_x509.Certificate, private: object, others: Sequence[asn1_x509.Certificate]
    ) -> "Signer":
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple(others)
        engine = SimpleSigner(
            signing_cert=own,
            signing_key=private,
            cert_registry=store,
            embed_roots=False,  # nothing would notice a change to a root that rides along
        )
        subject = own.subject.native
        return cls(name=str(subject.get("common_name", own.subject.human_friendly)), engine=engine)


@dataclass(frozen=True)
class DemoAuthority:
    """A root of our own that signs one seal per organisation; its names say that it is a demo."""

    directory: Path

    @property
    def root(self) -> bytes:
        """The root certificate (PEM), to be given to `validate`."""
        return self._root_path.read_bytes()

    @property
    def _root_path(self) -> Path:
        return self.directory / "root.pem"

    def signer(self, code: str, name: str) -> Signer:
        """Return the seal of the organisation with that code, made the first time."""
        if not _CODE.fullmatch(code):
            raise ValueError(f"not an organisation's code: {code!r}")
        key_path = self.directory / f"seal-{code}.key.pem"
        certificate_path = self.directory / f"seal-{code}.pem"
        with _locked(self.directory):
            if not certificate_path.exists():
                root_key = serialization.load_pem_private_key(
                    (self.directory / "root.key.pem").read_bytes(), password=None
                )
                if not isinstance(root_key, ec.EllipticCurvePrivateKey):
                    raise PdfError("pdf_key_unreadable")
                key = ec.generate_private_key(ec.SECP256R1())
                root = x509.load_pem_x509_certificate(self.root)
                certificate = _certificate(f"DEMO {name} ({code})", name, key, root_key, root)
                _write(key_path, _private_pem(key))
                _write(certificate_path, certificate.public_bytes(serialization.Encoding.PEM))
        return Signer.from_pem(key_path, certificate_path, chain=[self._root_path])


def demo_authority(directory: Path) -> DemoAuthority:
    """Return the demo authority kept in `directory`, made there the first time."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = DemoAuthority(directory)
    root_path = directory / "root.pem"
    with _locked(directory):
        if not root_path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            root = _certificate("DEMO Root Authority", "DEMO Ventanilla", key, key, None)
            _write(directory / "root.key.pem", _private_pem(key))
            _write(root_path, root.public_bytes(serialization.Encoding.PEM))
    return authority


def _certificate(
    common_name: str,
    organisation: str,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
) -> x509.Certificate:
    """A root when there is no issuer, else a seal that may sign documents and nothing else."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ES"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )
    root = issuer is None
    now = timezone.now()
    years = _ROOT_YEARS if root else _SEAL_YEARS
    usage = x509.KeyUsage(
        digital_signature=not root,
        content_commitment=not root,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=root,
        crl_sign=root,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(ca=root, path_length=0 if root else None), True)
        .add_extension(usage, True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
    )
    return builder.sign(issuer_key, hashes.SHA256())


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Only one process makes keys: two would seal under different roots."""
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
