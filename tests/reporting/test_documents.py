"""The sealed document: its code on every page, its seal, its sameness; and hostile content."""

import hashlib
import io
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.core.management import CommandError, call_command

from cases import services as cases
from cases.models import Case, Document, Event, Message, Note
from crm.audit.models import AuditEntry
from crm.citizens.models import Citizen
from crm.kit.actor import Actor
from crm.kit.errors import Unavailable
from crm.kit.pdf.keys import demo_authority
from crm.kit.pdf.sealing import validate
from reporting.models import IssuedHistory
from reporting.printing import verification_url, write_text
from reporting.services import download_history, issue_history, make_history
from tests.conftest import World
from tests.reporting.conftest import made, pages_of


def test_every_page_carries_code_address_number_and_organisation(
    case: Case, boss: Actor, world: World
) -> None:
    for number in range(100, 160):
        Event.objects.create(
            case=case,
            organisation_id=case.organisation_id,
            seq=number,
            kind="edited",
            actor_kind="user",
            actor_name="Alice Arias",
            data={
                "fields": ["subject"],
                "before": {"subject": "a" * 90},
                "after": {"subject": "b"},
            },
        )
    history = made(boss, case)
    _row, document = download_history(boss, history.uuid)
    pages = pages_of(document)
    assert len(pages) == history.pages >= 5
    for number, page in enumerate(pages, 1):
        assert history.code in page
        assert verification_url() in page
        assert f"{number} of {len(pages)}" in page or f"{number} de {len(pages)}" in page
        assert "Organismo de aquí" in page
    with pikepdf.open(io.BytesIO(document)) as opened:
        assert opened.Root.Lang == "es"
        assert case.reference in str(opened.docinfo.Title)
        assert bool(opened.Root.MarkInfo.Marked)
        assert len(opened.attachments) == 0


def test_it_is_sealed_and_one_changed_byte_breaks_it(case: Case, boss: Actor, keys: Path) -> None:
    history = made(boss, case)
    _row, document = download_history(boss, history.uuid)
    root = demo_authority(keys / "demo").root
    proof = validate(document, [root])
    assert (proof.intact, proof.trusted, proof.level) == (True, True, "B-B")
    assert "HERE" in proof.signer_name == history.signer
    assert hashlib.sha256(document).hexdigest() == history.sha256
    assert len(document) == history.size
    for place in range(0, len(document), len(document) // 7):
        changed = bytearray(document)
        changed[place] ^= 1
        assert not validate(bytes(changed), [root]).intact


@pytest.mark.usefixtures("sheet")
def test_an_unchanged_case_has_one_document_and_a_changed_one_another(
    case: Case, boss: Actor, world: World
) -> None:
    first = made(boss, case)
    assert issue_history(boss, case.uuid, "full").pk == first.pk
    assert made(boss, case, "citizen").code != first.code
    cases.add_note(world.actor(world.alice), case.uuid, "Algo más")
    second = made(boss, case)
    assert second.pk != first.pk
    assert second.code != first.code
    assert AuditEntry.objects.unscoped("test").filter(action="sealed").count() == 3


def test_variants_keep_their_word_on_paper(case: Case, boss: Actor) -> None:
    full, citizen, redacted = (
        " ".join(pages_of(download_history(boss, made(boss, case, variant).uuid)[1]))
        for variant in ("full", "citizen", "redacted")
    )
    assert "SECRETO-INTERNO" in full
    assert "MOTIVO-INTERNO" in full
    for text in (citizen, redacted):
        assert "SECRETO-INTERNO" not in text
    assert "Alice" not in citizen
    assert "12345678Z" not in citizen
    for name in (
        "Zubizarreta",
        "ZUBIZARRETA",
        "Castromil",
        "Alice Arias",
        "12345678Z",
        "600123456",
    ):
        assert name not in redacted


@pytest.mark.parametrize("variant", ["full", "citizen", "redacted"])
def test_hostile_words_are_printed_and_reach_nothing(
    world: World, case: Case, boss: Actor, tmp_path: Path, variant: str
) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARYSECRET")
    url = canary.as_uri()
    hostile = (
        f"<img src='{url}'><link rel=attachment href='{url}'><style>@import url({url});</style>"
        f"{{% include '{canary}' %}}{{{{ code }}}}</p></body>"
    )
    Case.objects.unscoped("test").filter(pk=case.pk).update(
        subject=hostile[:240], description=hostile
    )
    Message.objects.unscoped("test").filter(case=case).update(
        body=hostile, author_name=hostile[:200]
    )
    Note.objects.unscoped("test").filter(case=case).update(body=hostile, author_name=hostile[:200])
    Document.objects.unscoped("test").filter(case=case).update(name=hostile[:200])
    Citizen.objects.unscoped("test").update(name=hostile[:150])
    world.here.name = "<link rel=stylesheet href=file:///etc/passwd>"
    world.here.save()
    history = made(boss, case, variant)
    _row, document = download_history(boss, history.uuid)
    text = " ".join(pages_of(document))
    assert "CANARYSECRET" not in text
    assert "root:" not in text
    assert "{{ code }}" in text
    with pikepdf.open(io.BytesIO(document)) as opened:
        assert len(opened.attachments) == 0
        for thing in opened.objects:
            if isinstance(thing, pikepdf.Stream) and thing.get("/Type") != "/ObjStm":
                assert b"CANARYSECRET" not in thing.read_raw_bytes()


def test_long_words_stay_on_the_page(case: Case, boss: Actor) -> None:
    Case.objects.unscoped("test").filter(pk=case.pk).update(
        subject="W" * 240, description="https://example.org/" + "x" * 3000
    )
    _row, document = download_history(boss, made(boss, case).uuid)
    text = "".join(pages_of(document)).replace(" ", "").replace("\ufffe", "")
    assert text.count("W") >= 240
    assert text.count("x") >= 3000


def test_what_cannot_be_printed_is_had_as_text(
    case: Case, boss: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crm.kit.pdf import PdfError
    from reporting import printing, services

    def too_long(*args: Any, **kwargs: Any) -> bytes:
        raise PdfError("pdf_timeout")

    monkeypatch.setattr(printing, "render", too_long)
    history = issue_history(boss, case.uuid, "full")
    make_history(history.pk)
    history.refresh_from_db()
    assert (history.status, history.error, history.attempts) == ("failed", "pdf_timeout", 1)
    _row, text = services.history_as_text(boss, history.uuid)
    for words in ("SECRETO-INTERNO", "Íñigo Zubizarreta Peñalver", case.reference):
        assert words in text
    assert history.code not in text
    monkeypatch.undo()
    again = made(boss, case)
    assert again.pk == history.pk
    assert again.content is None
    assert again.error == ""


def test_text_escapes_nothing(case: Case, boss: Actor) -> None:
    history = issue_history(boss, case.uuid, "full")
    assert history.content is not None
    history.content["subject"] = "Tú & yo <1>"
    assert "Tú & yo <1>" in write_text(history.content)


@pytest.mark.usefixtures("sheet")
def test_changed_bytes_are_never_handed_out(
    case: Case, boss: Actor, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    history = made(boss, case)
    file = Path(settings.MEDIA_ROOT) / history.path
    kept = file.read_bytes()
    file.write_bytes(kept[:-1] + b"x")
    with pytest.raises(Unavailable):
        download_history(boss, history.uuid)
    assert "not those issued" in caplog.text
    assert AuditEntry.objects.unscoped("test").filter(action="verified", result="failed").exists()
    file.unlink()
    with pytest.raises(Unavailable):
        download_history(boss, history.uuid)


@pytest.mark.usefixtures("sheet")
def test_production_seals_only_with_the_organisations_own_certificate(
    case: Case, boss: Actor, settings: Any, tmp_path: Path, keys: Path
) -> None:
    settings.PRODUCTION = True
    settings.KEYS_DIR = tmp_path / "none"
    with pytest.raises(Unavailable) as raised:
        issue_history(boss, case.uuid, "full")
    assert raised.value.code == "no_certificate"
    assert not IssuedHistory.objects.unscoped("test").exists()
    demo_authority(keys / "demo").signer("HERE", "Organismo de aquí")
    own = settings.KEYS_DIR / "HERE"
    own.mkdir(parents=True)
    (own / "seal.pem").write_bytes((keys / "demo" / "seal-HERE.pem").read_bytes())
    (own / "seal.key.pem").write_bytes((keys / "demo" / "seal-HERE.key.pem").read_bytes())
    (own / "chain.pem").write_bytes((keys / "demo" / "root.pem").read_bytes())
    assert made(boss, case).seal_level == "B-B"


@pytest.mark.usefixtures("sheet")
def test_without_an_answer_of_the_time_stamp_authority_it_says_so(
    case: Case, boss: Actor, settings: Any
) -> None:
    settings.PDF_TSA_URL = "http://127.0.0.1:9/tsa"
    history = made(boss, case)
    assert (history.seal_level, history.timestamp_missing) == ("B-B", True)


@pytest.mark.django_db(transaction=True)
def test_the_command_writes_the_file(case: Case, tmp_path: Path, keys: Path) -> None:
    output = tmp_path / "history.pdf"
    call_command("case_history", case.reference, "--variant", "citizen", "--output", str(output))
    assert validate(output.read_bytes(), [demo_authority(keys / "demo").root]).intact
    assert "SECRETO-INTERNO" not in " ".join(pages_of(output.read_bytes()))
    with pytest.raises(CommandError, match="no case"):
        call_command("case_history", "NONE-1", "--output", str(output))
