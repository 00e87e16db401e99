"""What the demo's people are just writing: drafts on the known agents' desks, some of them shared."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import cycle

from cases.demo.cast import Cast, Worker
from cases.demo.stories import Story
from cases.models import Case, Confidentiality, Draft
from crm.kit.demo import Demo

OWN, SHARED = 4, 2
_TEXTS = (
    (Draft.Kind.REPLY, "Buenos días:\n\nHemos revisado su solicitud y nos falta "),
    (Draft.Kind.NOTE, "Ha llamado dos veces. Antes de resolver, confirmar con el registro si "),
    (Draft.Kind.REPLY, "Le informamos de que el plazo para aportar la documentación termina el "),
    (Draft.Kind.NOTE, "Pendiente: comparar la fecha de alta con la del certificado."),
    (Draft.Kind.SAID, "Dice que entregó el certificado en otra oficina, pero no recuerda cuál"),
)


def fill(demo: Demo, cast: Cast, agent: Worker, stories: Iterable[Story]) -> None:
    """Some answers and notes of the agent are unfinished; a colleague shares one or two with them."""
    open_cases = [one.case for one in stories if not one.case.ended]
    mine = [case for case in open_cases if case.assignee_id == agent.user.pk][-OWN:]
    drafts, texts = [], cycle(_TEXTS)
    for case, (kind, text) in zip(mine, texts, strict=False):
        drafts.append(_draft(case, agent, kind, text))
    theirs = [case for case in open_cases if case.unit_id == agent.place.pk and case not in mine]
    for case in theirs[-SHARED:]:
        colleagues = [one for one in cast.who_works_in(case.unit) if one.user.pk != agent.user.pk]
        if colleagues and case.confidentiality < Confidentiality.SPECIAL:
            kind, text = next(texts)
            draft = _draft(case, colleagues[0], kind, text)
            draft.shared_at = demo.now - timedelta(hours=2)
            drafts.append(draft)
    Draft.objects.bulk_create(drafts)
    demo.made["drafts"] += len(drafts)


def _draft(case: Case, worker: Worker, kind: str, text: str) -> Draft:
    return Draft(
        case=case,
        kind=kind,
        text=text,
        author=worker.user,
        author_name=worker.user.full_name,
        seen=case.last_event,
        seen_in=case.pk,
    )
