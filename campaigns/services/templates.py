"""Verbs on templates: each saving is a version of its own."""

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.models import Template, TemplateVersion
from campaigns.permissions import DESIGN_CAMPAIGN
from campaigns.rendering import checked_texts
from crm.audit.record import record
from crm.kit.actor import Actor
from crm.kit.errors import Invalid
from crm.kit.policy import require


@transaction.atomic
def save_template(
    actor: Actor,
    name: str,
    texts: Mapping[str, Mapping[str, str]],
    template: UUID | None = None,
) -> Template:
    """The template reads so from now on; what was approved before keeps its words."""
    require(actor, DESIGN_CAMPAIGN)
    known = dict(settings.LANGUAGES)
    kept = checked_texts({code: words for code, words in texts.items() if code in known})
    called = " ".join(name.split())[:120]
    if not called:
        raise Invalid(errors={"name": [_("This field is required.")]})
    row = Template(organisation_id=actor.organisation_id)
    if template is not None:
        mine = Template.objects.for_actor(actor).filter(archived_at=None).select_for_update()
        row = mine.get_or_refuse(uuid=template)
    row.name = called
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Invalid(errors={"name": [_("There is another one of this name.")]}) from error
    before = latest(row)
    if before is None or before.texts != kept:
        version = TemplateVersion.objects.create(
            template=row,
            number=before.number + 1 if before else 1,
            texts=kept,
            author_name=actor.name[:200],
        )
        record(actor, DESIGN_CAMPAIGN, row, version=version.number)
    return row


def latest(template: Template) -> TemplateVersion | None:
    """The template's words as they are now."""
    versions = TemplateVersion.objects.unscoped("of a template that the caller holds")
    return versions.filter(template=template).order_by("-number").first()
