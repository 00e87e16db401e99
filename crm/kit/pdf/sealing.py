"""PAdES seals: put on a finished PDF, and checked again."""

import asyncio
import datetime as dt
import io
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from asn1crypto import algos, cms, tsp
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError as PdfSyntaxError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError
from pyhanko.sign.validation import EmbeddedPdfSignature, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from crm.kit.pdf.errors import PdfError
from crm.kit.pdf.keys import Signer

Level = Literal["B-B", "B-T"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sealed:
    """The sealed bytes and the PAdES level reached (ETSI EN 319 142-1).

    `timestamp_missing` is true when a time stamp was asked for and the authority gave none.
    """

    content: bytes
    level: Level
    timestamp_missing: bool = False


@dataclass(frozen=True)
class Validation:
    """What a PDF proves. Without a readable seal: neither intact nor trusted, level None."""

    intact: bool = False
    trusted: bool = False
    level: Level | None = None
    signer_name: str = ""
    signed_at: dt.datetime | None = None


class TimestampAuthority(TimeStamper):
    """An RFC 3161 authority reached by `post(request) -> response`; its failures are one error."""

    def __init__(self, post: Callable[[bytes], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._post = post

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        try:
            answer = await asyncio.to_thread(self._post, req.dump())
            response = tsp.TimeStampResp.load(answer, strict=True)
            response.native  # noqa: B018 - parses all of it, here where errors are expected
        except Exception as error:
            raise TimestampRequestError(f"no time stamp: {type(error).__name__}") from error
        return response


def seal(
    pdf: bytes,
    signer: Signer,
    *,
    reason: str,
    location: str,
    timestamper: TimeStamper | None = None,
) -> Sealed:
    """Seal `pdf` so that any later change breaks it: PAdES B-T, or B-B without a time stamp.

    Takes no event loop's thread. Raises PdfError when the PDF cannot be sealed at all.
    """
    try:
        if timestamper is not None:
            try:
                return Sealed(_sign(pdf, signer, reason, location, timestamper), "B-T")
            except TimestampRequestError as error:
                log.warning("Sealed without a time stamp: %s", error)
        content = _sign(pdf, signer, reason, location, None)
    except (SigningError, PdfSyntaxError, ValueError, OSError) as error:
        raise PdfError("pdf_not_sealed") from error
    return Sealed(content, "B-B", timestamp_missing=timestamper is not None)


def _sign(
    pdf: bytes, signer: Signer, reason: str, location: str, timestamper: TimeStamper | None
) -> bytes:
    metadata = PdfSignatureMetadata(
        field_name="Seal",
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        name=signer.name,
        reason=reason,
        location=location,
    )
    field = SigFieldSpec("Seal", readable_field_name=signer.name)
    engine = PdfSigner(metadata, signer.engine, timestamper=timestamper, new_field_spec=field)
    sealed: bytes = engine.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf))).getvalue()
    return sealed


def validate(pdf: bytes, trust_roots: Iterable[bytes]) -> Validation:
    """Say whether every byte of `pdf` is as `seal` left it, by whom and when; roots are PEM or DER.

    Stricter than PAdES asks, and meant for our own documents. Revocation is not looked up.
    """
    roots = [root for pem in trust_roots for root in load_certs_from_pemder_data(pem)]
    try:
        signature = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures[0]
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=roots))
    except Exception as error:  # noqa: BLE001 - a damaged PDF fails in more ways than pyHanko names
        log.info("A PDF could not be validated: %s", type(error).__name__)
        return Validation()
    stamp = status.timestamp_validity
    if stamp is not None and not (stamp.intact and stamp.valid):
        stamp = None
    return Validation(
        intact=status.intact and status.valid and _covers_every_byte(pdf, signature),
        trusted=status.trusted and (stamp is None or stamp.trusted),
        level="B-B" if stamp is None else "B-T",
        signer_name=str(status.signing_cert.subject.native.get("common_name", "")),
        signed_at=status.signer_reported_dt if stamp is None else stamp.timestamp,
    )


def _covers_every_byte(pdf: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Outside the signed ranges there is only the signature, in the spelling `seal` writes.

    A digest cannot cover the signature that holds it: its padding, an `a` for an `A` or the parts
    of its wrapper that nobody signs could be changed, and the seal would still hold. (What a time
    stamp authority answered is kept as it came.)
    """
    start, before, after, rest = signature.byte_range
    digits = _rebuilt(signature).dump().hex().encode()
    gap = b"<" + digits.ljust(after - before - 2, b"0") + b">"
    whole = start == 0 and after + rest == len(pdf)
    return whole and pdf[before:after] in (gap, gap.upper())


def _rebuilt(signature: EmbeddedPdfSignature) -> cms.ContentInfo:
    """The signature's wrapper, made anew around its signed attributes and certificates."""
    information, certificate = signature.signer_info, signature.signer_cert
    digest = algos.DigestAlgorithm(
        {"algorithm": information["digest_algorithm"]["algorithm"].native}
    )
    signer = {
        "version": "v1",
        "sid": cms.IssuerAndSerialNumber(
            {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        ),
        "digest_algorithm": digest,
        "signed_attrs": information["signed_attrs"],
        "signature_algorithm": information["signature_algorithm"],
        "signature": information["signature"],
    }
    if information["unsigned_attrs"].native is not None:
        signer["unsigned_attrs"] = information["unsigned_attrs"]
    content = {
        "version": "v1",
        "digest_algorithms": [digest],
        "encap_content_info": {"content_type": "data"},
        "certificates": signature.signed_data["certificates"],
        "signer_infos": [signer],
    }
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(content)})
