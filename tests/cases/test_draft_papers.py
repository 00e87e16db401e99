"""Papers of a request form that was never sent are swept; what was sent, or anybody else has, stays."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from cases.models import Document, DraftPaper, Procedure
from cases.services import attach_document, drafts
from cases.tasks import forget_draft_papers
from crm.kit import files
from tests.cases.test_window import _nobody_counted, file, procedure, said, url  # noqa: F401
from tests.conftest import World
from tests.factories.cases import CaseFactory

pytestmark = pytest.mark.django_db


def upload(client: Client, content: bytes, **more: Any) -> Any:
    """A form with something wrong in it, so that the paper waits for the corrected one."""
    paper = SimpleUploadedFile("papel.pdf", content)
    return file(client, papers=paper, **{"agree": "", **more})


def lies(content: bytes) -> bool:
    import hashlib

    sha = hashlib.sha256(content).hexdigest()
    return (Path(settings.MEDIA_ROOT) / f"sha256/{sha[:2]}/{sha[2:4]}/{sha}").exists()


def a_day_later() -> None:
    """Everything that lies in the store, and every row about what waits, is of two days ago."""
    rows = DraftPaper.objects.unscoped("a test's clock")
    rows.update(waits_since=timezone.now() - timedelta(days=2))
    for path in Path(settings.MEDIA_ROOT).glob("sha256/*/*/*"):
        os.utime(path, (time.time() - 2 * 86_400,) * 2)


PAPER = b"%PDF-1.4\n%left behind\n"


def test_a_paper_whose_form_was_never_sent_is_gone_after_a_day(
    procedure: Procedure,  # noqa: F811
    client: Client,
) -> None:
    assert upload(client, PAPER).status_code == 422
    assert lies(PAPER)
    forget_draft_papers()
    assert lies(PAPER), "it waits for the corrected form"
    a_day_later()
    forget_draft_papers()
    assert not lies(PAPER)
    assert not DraftPaper.objects.unscoped("counted").exists()
    forget_draft_papers()


def test_what_was_sent_stays(procedure: Procedure, client: Client) -> None:  # noqa: F811
    kept = upload(client, PAPER).context["kept"]
    assert client.post(url("apply", code="empadronamiento"), said(kept=kept)).status_code == 302
    a_day_later()
    assert drafts.forget_papers() == 0
    document = Document.objects.unscoped("a test looks").get()
    with files.open_stored(document.path) as stored:
        assert stored.read() == PAPER
    assert not DraftPaper.objects.unscoped("counted").exists()


def test_what_another_case_has_stays(
    procedure: Procedure,  # noqa: F811
    client: Client,
    world: World,
) -> None:
    other = CaseFactory(unit=world.unit, data={"calle": "Sur"})
    attach_document(world.actor(world.alice), other.uuid, [PAPER], "igual.pdf")
    upload(client, PAPER)
    a_day_later()
    assert drafts.forget_papers() == 0
    assert lies(PAPER)


def test_a_paper_that_is_sent_back_waits_anew(
    procedure: Procedure,  # noqa: F811
    client: Client,
) -> None:
    kept = upload(client, PAPER).context["kept"]
    a_day_later()
    again = client.post(url("apply", code="empadronamiento"), said(kept=kept, agree="", papers=[]))
    assert [one.name for one in again.context["papers"]] == ["papel.pdf"]
    assert drafts.forget_papers() == 0
    assert lies(PAPER)


def test_what_came_again_meanwhile_is_not_removed(
    procedure: Procedure,  # noqa: F811
    client: Client,
) -> None:
    """Somebody's upload of the same bytes is in the store, and its row not yet in the database."""
    upload(client, PAPER)
    a_day_later()
    files.store([PAPER], "papel.pdf")
    assert drafts.forget_papers() == 0
    assert lies(PAPER)
