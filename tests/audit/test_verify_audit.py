"""The command verify_audit: exit code, words, JSON, and the entry that it leaves itself."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from crm.audit import checkpoints, tasks
from crm.audit.models import AuditEntry, Result
from tests.audit.conftest import Dba, seal_all, write
from tests.factories.organisations import OrganisationFactory

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> tuple[int, str]:
    """The command's exit code and what it said."""
    said = io.StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=said, no_color=True)
    except SystemExit as ended:
        return int(str(ended.code)), said.getvalue()
    return 0, said.getvalue()


def test_a_whole_trail_leaves_with_zero_and_says_so() -> None:
    write("viewed", "viewed")
    seal_all()
    checkpoints.write()

    code, said = run()

    assert code == 0
    assert said.startswith(
        "The audit trail is whole: 2 sealed entries, 1 seals, 1 checkpoints, verified in "
    )
    entry = AuditEntry.objects.get(action="audit_verified")
    assert (entry.result, entry.organisation_id, entry.door) == (Result.DONE, None, "command")
    assert entry.data == {"entries": 2, "seals": 1, "checkpoints": 1, "faults": []}


def test_a_broken_trail_leaves_with_one_and_names_the_entry(dba: Dba) -> None:
    ids = write("viewed", "searched")
    seal_all()
    dba("UPDATE audit_auditentry SET actor_name = 'Nobody' WHERE id = %s", ids[1])

    code, said = run("--json")

    assert code == 1
    verdict = json.loads(said)
    assert verdict["whole"] is False
    at = AuditEntry.objects.get(id=ids[1]).at
    (fault,) = verdict["faults"]
    assert fault | {"text": ""} == {
        "kind": "altered",
        "entry": ids[1],
        "at": at.isoformat(),
        "action": "searched",
        "seal": 1,
        "text": "",
    }
    entry = AuditEntry.objects.get(action="audit_broken")
    assert entry.result == Result.FAILED
    assert entry.data["faults"][0]["kind"] == "altered"


def test_one_organisation_is_verified_alone(dba: Dba) -> None:
    here, elsewhere = OrganisationFactory(code="HERE"), OrganisationFactory(code="ELSE")
    write("viewed", organisation_id=here.pk)
    (lost,) = write("viewed", organisation_id=elsewhere.pk)
    seal_all()
    dba("DELETE FROM audit_auditentry WHERE id = %s", lost)

    assert run("--organisation", "HERE")[0] == 0
    code, said = run("--organisation", "ELSE")
    assert code == 1
    assert said.startswith(f"Entry {lost}, sealed at ")


def test_checkpoints_kept_elsewhere_are_believed(outside: Path, dba: Dba) -> None:
    write("viewed")
    seal_all()
    checkpoints.write()
    (file,) = (outside / "checkpoints").iterdir()
    copy = file.rename(outside / "copy.jsonl")
    dba("DELETE FROM audit_auditentry")
    dba("DELETE FROM audit_seal")

    assert run()[0] == 0
    assert run("--checkpoints", str(copy))[0] == 1


def test_what_does_not_exist_is_said() -> None:
    with pytest.raises(CommandError, match="no organisation with the code NONE"):
        run("--organisation", "NONE")
    with pytest.raises(CommandError, match="There is no file"):
        run("--checkpoints", "nowhere.jsonl")
    assert not AuditEntry.objects.exists()


def test_a_worker_verifies_for_an_auditor() -> None:
    here = OrganisationFactory(code="HERE")
    write("viewed", organisation_id=here.pk)
    tasks.seal()
    tasks.checkpoint()

    tasks.verify(here.pk, "Ana Auditora")

    entry = AuditEntry.objects.get(action="audit_verified")
    assert (entry.organisation_id, entry.on_behalf_of) == (here.pk, "Ana Auditora")
