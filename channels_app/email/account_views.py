"""The pages where an administrator sets e-mail accounts up."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels_app.email import accounts, selectors
from channels_app.email.forms import AccountForm, beginning
from channels_app.models import AccountKind, ChannelAccount
from channels_app.permissions import MANAGE_CHANNELS
from crm.kit.access import ActorRequest, needs


@require_GET
@needs(MANAGE_CHANNELS)
def index(request: ActorRequest) -> HttpResponse:
    """The accounts, and whether their mailboxes can be read."""
    rows = [(one, selectors.fetched(one)) for one in selectors.accounts(request.actor)]
    return render(request, "mail/accounts.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE_CHANNELS)
def new(request: ActorRequest) -> HttpResponse:
    """A new account."""
    return _edit(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MANAGE_CHANNELS)
def account(request: ActorRequest, account: UUID) -> HttpResponse:
    """One account; its passwords are never shown."""
    return _edit(request, _row(request, account))


@require_POST
@needs(MANAGE_CHANNELS)
def try_it(request: ActorRequest, account: UUID) -> HttpResponse:
    """« Probar »: both servers are spoken to."""
    _row(request, account)
    tried = accounts.try_account(request.actor, account)
    names = {"imap": _("Coming in"), "smtp": _("Going out")}
    if not tried:
        messages.info(request, _("There is no server to try: mail leaves by the installation's."))
    for one in tried:
        if one.problem:
            messages.error(request, f"{names[one.what]}: {one.problem}")
        else:
            works = _("%(what)s: it works.") % {"what": names[one.what]}
            messages.success(request, works)
    return redirect("mail:account", account)


def _edit(request: ActorRequest, row: ChannelAccount | None) -> HttpResponse:
    form = AccountForm(request.POST or None, actor=request.actor, initial=beginning(row))
    status = 200
    if request.method == "POST":
        known = row.uuid if row else None
        saved = form.saved(lambda: accounts.save_account(request.actor, form.said(), known))
        if saved == 200:
            messages.success(request, _("The account has been saved."))
            return redirect("mail:accounts")
        status = int(saved)
    mailbox = getattr(row, "mailbox", None) if row else None
    context = {"form": form, "account": row, "mailbox": mailbox}
    return render(request, "mail/account.html", context, status=status)


def _row(request: ActorRequest, account: UUID) -> ChannelAccount:
    rows = ChannelAccount.objects.for_actor(request.actor).filter(kind=AccountKind.EMAIL)
    return rows.select_related("unit", "mailbox").get_or_refuse(uuid=account)
