"""A campaign's e-mail for one recipient: words, headers, and what is filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import override

from campaigns import tokens
from campaigns.models import Campaign, CampaignRun, Delivery, TemplateVersion
from campaigns.rendering import Filling, LinkOf, Rendered, language_for, render
from crm.citizens.models import Channel, Citizen, ContactPoint
from crm.kit.mail import MARK_FIELD, mark_of
from crm.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a message is filled in with, and in which language."""

    language: str
    values: Mapping[str, str]


def recipient(citizen: Citizen, language: str, town: str, organisation: Organisation) -> Recipient:
    """What is known of a citizen, by the names of rendering.KNOWN."""
    return Recipient(
        language,
        {
            "name": citizen.name,
            "full_name": citizen.full_name,
            "municipality": town,
            "organisation": organisation.name,
        },
    )


def town_of(organisation_id: int, citizen_id: int) -> str:
    """The town of the citizen's postal address, as people write it."""
    homes = ContactPoint.objects.unscoped("of a recipient of the organisation").filter(
        organisation=organisation_id, citizen=citizen_id, channel=Channel.POST, ended_at=None
    )
    home = homes.exclude(locality="").order_by("-preferred", "pk").first()
    return home.locality if home else ""


def words(
    campaign: Campaign,
    version: TemplateVersion,
    to: Recipient,
    link_of: LinkOf = lambda target: target,
) -> Rendered:
    """The campaign's words for one recipient; MissingValue when one of their data is missing."""
    texts = version.texts
    language = language_for(texts, to.language, campaign.organisation.languages)
    return render(texts, language, Filling({**campaign.values, **to.values}, link_of))


def message(
    campaign: Campaign,
    rendered: Rendered,
    address: str,
    *,
    delivery: Delivery | None = None,
    run: CampaignRun | None = None,
) -> EmailMultiAlternatives:
    """The e-mail; of a delivery, with its own Message-ID and, where the recipient may say no, how."""
    organisation = campaign.organisation
    optional = delivery is not None and campaign.topic.needs_consent
    leave = tokens.unsubscribe_url(delivery.uuid) if delivery and optional else ""
    context = {
        "organisation": organisation,
        "rendered": rendered,
        "topic": campaign.topic.name_in(rendered.language),
        "leave": leave,
        "preferences": tokens.preferences_url(delivery.uuid) if delivery and optional else "",
        "trial": delivery is None,
        "optional": campaign.topic.needs_consent,
    }
    with override(rendered.language):
        text = render_to_string("campaigns/mail/message.txt", context)
        html = render_to_string("campaigns/mail/message.html", context)
    headers = {"Auto-Submitted": "auto-generated", "Content-Language": rendered.language}
    if delivery and run:
        headers["Message-ID"] = f"<{delivery.uuid}@{run.domain}>"
        headers[MARK_FIELD] = mark_of(headers["Message-ID"])
        headers["List-Id"] = f"<{campaign.topic.code}.{organisation.code.lower()}.{run.domain}>"
        headers["Precedence"] = "bulk"
    if leave:
        headers["List-Unsubscribe"] = f"<{leave}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail = EmailMultiAlternatives(
        subject=rendered.subject,
        body=text,
        from_email=formataddr((organisation.name, settings.DEFAULT_FROM_EMAIL)),
        to=[address],
        headers=headers,
    )
    mail.attach_alternative(html, "text/html")
    return mail
