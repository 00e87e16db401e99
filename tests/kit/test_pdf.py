"""Documents: tagged, sealed, with their code on every page."""

import datetime as dt
import io
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.sign.timestamps import DummyTimeStamper

from crm.kit import pdf
from crm.kit.pdf.keys import DemoAuthority, Signer, demo_authority
from crm.kit.pdf.sealing import TimestampAuthority, Validation, seal, validate

STYLE = """
  @page { size: A4; margin: 30mm 15mm 20mm;
    @top-left { content: element(mark) }
    @bottom-right { content: counter(page) " / " counter(pages) } }
  .mark { position: running(mark) }
  .mark img { width: 12mm }
  td { padding: 3mm 2mm }
"""


def history(code: str, rows: int) -> str:
    events = "".join(
        f"<tr><td>{row}</td><td>2026-11-20 10:{row % 60:02}</td><td>Ana Pérez Núñez</td>"
        f"<td>{'La ciudadana aporta la documentación solicitada. ' * 3}</td></tr>"
        for row in range(rows)
    )
    return (
        f"<style>{STYLE}</style><div class=mark><img src='asset:qr.svg' alt='QR'>{code}</div>"
        f"<h1>Historia del expediente</h1><table><thead><tr><th>N.º<th>Fecha<th>Quién<th>Qué"
        f"</thead>{events}</table>"
    )


def rendered(html: str, **options: object) -> bytes:
    assets = {"qr.svg": pdf.qr_svg("https://sede.example/verificar/", title="Código QR")}
    return pdf.render(html, assets=assets, language="es", title="Historia", **options)  # type: ignore[arg-type]


def texts(document: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(document)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    return demo_authority(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signer(authority: DemoAuthority) -> Signer:
    return authority.signer("INP", "Instituto Nacional de Prestaciones")


@pytest.fixture(scope="module")
def plain() -> bytes:
    return rendered("<h1>Historia</h1><p>Ñandú €</p>")


def test_a_document_is_tagged_with_language_and_title(plain: bytes) -> None:
    with pikepdf.open(io.BytesIO(plain)) as document:
        assert document.Root.Lang == "es"
        assert document.docinfo.Title == "Historia"
        assert bool(document.Root.MarkInfo.Marked)
        assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
        assert "/StructTreeRoot" in document.Root
        metadata = document.Root.Metadata.read_bytes()
    assert b"pdfuaid" in metadata
    assert "Ñandú €" in texts(plain)[0]


def test_a_long_history_carries_its_code_on_every_page_and_is_sealed(
    authority: DemoAuthority, signer: Signer
) -> None:
    code = pdf.new_code()
    document = rendered(history(code, 200))
    sealed = seal(document, signer, reason="Historia", location="Madrid")
    pages = texts(sealed.content)
    assert len(pages) >= 17
    assert [code in page for page in pages] == [True] * len(pages)
    assert validate(sealed.content, [authority.root]).intact


def test_progress_tells_the_pages_as_they_are_laid_out() -> None:
    seen: list[int] = []
    document = rendered("<p style='page-break-after:always'>a" * 4, progress=seen.append)
    assert set(range(1, len(texts(document)) + 1)) <= set(seen)


def test_a_document_that_takes_too_long_or_too_much_says_so() -> None:
    with pytest.raises(pdf.PdfError) as caught:
        rendered(history("x", 5000), timeout=1.0)
    assert caught.value.code == "pdf_timeout"
    assert "too long" in str(caught.value)
    with pytest.raises(pdf.PdfError) as caught:
        rendered(history("x", 300), memory=120 * 1024 * 1024)
    assert caught.value.code in {"pdf_memory", "pdf_failed"}


def test_a_seal_is_intact_trusted_and_certifies_that_nothing_may_change(
    plain: bytes, authority: DemoAuthority, signer: Signer
) -> None:
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    sealed = seal(plain, signer, reason="Historia del expediente", location="Madrid")
    found = validate(sealed.content, [authority.root])
    assert (sealed.level, sealed.timestamp_missing) == ("B-B", False)
    assert found == Validation(
        intact=True,
        trusted=True,
        level="B-B",
        signer_name="DEMO Instituto Nacional de Prestaciones (INP)",
        signed_at=found.signed_at,
    )
    assert found.signed_at is not None
    assert before <= found.signed_at <= dt.datetime.now(dt.UTC)
    with pikepdf.open(io.BytesIO(sealed.content)) as document:
        signature = document.Root.AcroForm.Fields[0].V
        assert signature.SubFilter == "/ETSI.CAdES.detached"
        assert signature.Reference[0].TransformParams.P == 1


def test_a_seal_of_a_stranger_is_intact_but_not_trusted(
    plain: bytes, signer: Signer, tmp_path: Path
) -> None:
    sealed = seal(plain, signer, reason="r", location="l")
    found = validate(sealed.content, [demo_authority(tmp_path).root])
    assert (found.intact, found.trusted) == (True, False)


def test_one_changed_byte_anywhere_breaks_the_seal(
    plain: bytes, authority: DemoAuthority, signer: Signer
) -> None:
    whole = seal(plain, signer, reason="r", location="l").content
    digits = whole.index(b"/Contents <") + len(b"/Contents <")
    end = whole.index(b">", digits)
    letter = next(at for at in range(digits, end) if whole[at : at + 1].isalpha())
    positions = {*range(0, len(whole), 97), len(whole) - 1, digits, letter, end - 1, end - 2, end}
    for position in sorted(positions):
        flipped = 0x20 if position == letter else 0x01
        changed = bytearray(whole)
        changed[position] ^= flipped
        assert not validate(bytes(changed), [authority.root]).intact, position


def test_more_bytes_fewer_bytes_or_a_new_revision_break_the_seal(
    plain: bytes, authority: DemoAuthority, signer: Signer
) -> None:
    whole = seal(plain, signer, reason="r", location="l").content
    revised = io.BytesIO()
    with pikepdf.open(io.BytesIO(whole)) as document:
        document.docinfo.Title = "Otra historia"
        document.save(revised)
    for changed in (
        whole + b"\n",
        whole + whole,
        whole[:-1],
        revised.getvalue(),
        plain,
        b"",
        b"%PDF-",
    ):
        assert not validate(changed, [authority.root]).intact


def test_what_is_no_pdf_cannot_be_sealed(signer: Signer) -> None:
    with pytest.raises(pdf.PdfError) as caught:
        seal(b"not a PDF", signer, reason="r", location="l")
    assert caught.value.code == "pdf_not_sealed"


@pytest.fixture(scope="module")
def time_authority() -> tuple[DummyTimeStamper, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test TSA")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    der = serialization.Encoding.DER
    private = key.private_bytes(
        der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    stamper = DummyTimeStamper(
        tsa_cert=asn1_x509.Certificate.load(certificate.public_bytes(der)),
        tsa_key=asn1_keys.PrivateKeyInfo.load(private),
    )
    return stamper, certificate.public_bytes(der)


def test_a_time_stamp_raises_the_level(
    plain: bytes,
    authority: DemoAuthority,
    signer: Signer,
    time_authority: tuple[DummyTimeStamper, bytes],
) -> None:
    stamper, root = time_authority

    sealed = seal(plain, signer, reason="r", location="l", timestamper=stamper)
    found = validate(sealed.content, [authority.root, root])
    assert (sealed.level, sealed.timestamp_missing) == ("B-T", False)
    assert (found.intact, found.trusted, found.level) == (True, True, "B-T")
    untrusted_time = validate(sealed.content, [authority.root])
    assert (untrusted_time.intact, untrusted_time.trusted) == (True, False)


@pytest.mark.parametrize("fault", [b"", b"garbage", b"\x30\x03\x02\x01\x00", TimeoutError()])
def test_without_a_time_stamp_the_level_reached_is_said(
    plain: bytes, authority: DemoAuthority, signer: Signer, fault: bytes | Exception
) -> None:
    asked = []

    def post(request: bytes) -> bytes:
        asked.append(request)
        if isinstance(fault, Exception):
            raise fault
        return fault

    sealed = seal(plain, signer, reason="r", location="l", timestamper=TimestampAuthority(post))
    assert asked
    assert (sealed.level, sealed.timestamp_missing) == ("B-B", True)
    assert validate(sealed.content, [authority.root]).level == "B-B"


def test_the_demo_authority_is_made_once_and_kept_private(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        authorities = list(pool.map(lambda _: demo_authority(tmp_path / "keys"), range(4)))
        names = list(pool.map(lambda one: one.signer("VAL", "Valdelagua").name, authorities))
    assert len({authority.root for authority in authorities}) == 1
    assert names == ["DEMO Valdelagua (VAL)"] * 4
    certificate = (tmp_path / "keys/seal-VAL.pem").read_bytes()
    demo_authority(tmp_path / "keys").signer("VAL", "Another name")
    assert (tmp_path / "keys/seal-VAL.pem").read_bytes() == certificate
    for path in (tmp_path / "keys").glob("*.key.pem"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="not an organisation's code"):
        demo_authority(tmp_path / "keys").signer("../VAL", "x")


def test_a_signer_is_read_from_pkcs12_and_a_wrong_passphrase_is_said(
    plain: bytes, authority: DemoAuthority, signer: Signer, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(
        (authority.directory / "seal-INP.key.pem").read_bytes(), None
    )
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(
        (authority.directory / "seal-INP.pem").read_bytes()
    )
    path = tmp_path / "seal.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"seal", key, certificate, None, serialization.BestAvailableEncryption(b"right")
        )
    )
    sealed = seal(plain, Signer.from_pkcs12(path, b"right"), reason="r", location="l")
    assert validate(sealed.content, [authority.root]).trusted
    for wrong in (b"wrong", None):
        with pytest.raises(pdf.PdfError) as caught:
            Signer.from_pkcs12(path, wrong)
        assert caught.value.code == "pdf_key_unreadable"
    with pytest.raises(pdf.PdfError):
        Signer.from_pem(tmp_path / "absent.pem", tmp_path / "absent.pem")


def test_codes_are_long_and_all_different() -> None:
    codes = [pdf.new_code() for _ in range(1000)]
    assert len(set(codes)) == 1000
    for code in codes:
        assert [len(group) for group in code.split("-")] == [4] * 7  # 28 × 5 = 140 bits
        assert not set(code) & set("ILOU")
        assert pdf.normalise_code(code) == code


@pytest.mark.parametrize(
    "typed",
    [
        "0O1I-LABC-DEFG-HJKM-NPQR-STVW-XYZ2",
        "0o1ilabcdefghjkmnpqrstvwxyz2",
        "  001l labc\tdefg hjkm\nnpqr stvw xyz2 ",
        "00ii–LABC—DEFG‐HJKM-NPQR-STVW-XYZ2",
    ],
)
def test_a_code_is_understood_however_it_is_typed(typed: str) -> None:
    assert pdf.normalise_code(typed) == "0011-1ABC-DEFG-HJKM-NPQR-STVW-XYZ2"


@pytest.mark.parametrize(
    "typed",
    [
        *("", "-", "0011-1ABC", "U011-1ABC-DEFG-HJKM-NPQR-STVW-XYZ2", "é" * 28, "0" * 29),
        *("' OR 1=1 --", "0011-1ABC-DEFG-HJKM-NPQR-STVW-XYZ2\0", "①" * 28, "0" * 10**6),
    ],
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(pdf.CodeError) as caught:
        pdf.normalise_code(typed)
    assert caught.value.code == "code_malformed"


def test_the_qr_image_names_itself() -> None:
    image = pdf.qr_svg("https://sede.example/verificar/?c=1", title="Código <QR>")
    assert b"<title>C\xc3\xb3digo &lt;QR&gt;</title>" in image
    assert image.startswith(b"<svg")
