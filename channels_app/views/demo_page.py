"""A made-up page of a town's own web site that holds the chat by its one script tag: not in production."""

from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from channels_app.models import AccountKind, ChannelAccount
from crm.kit.errors import NotFound


@require_GET
@csp_replace(
    {"default-src": ["'self'", settings.PUBLIC_URL], "style-src": ["'self'", "'unsafe-inline'"]}
)
def page(request: HttpRequest) -> HttpResponse:
    """The page of the organisation named by `?de=` (its code), else of the first that has a web chat."""
    if settings.PRODUCTION:
        raise NotFound
    accounts = ChannelAccount.objects.unscoped("a made-up page for anybody").filter(
        kind=AccountKind.WEB_CHAT, is_active=True
    )
    code = request.GET.get("de", "")
    if code:
        accounts = accounts.filter(organisation__code__iexact=code)
    account = accounts.select_related("organisation").order_by("pk").first()
    if account is None:
        raise NotFound
    script = f"{settings.PUBLIC_URL}/chat/{account.public_key}/widget.js"
    return render(request, "channels_app/demo_page.html", {"account": account, "script": script})
