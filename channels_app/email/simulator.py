"""For demos: write to an account as a citizen would, and read what was sent to them. Off by default."""

from email.message import EmailMessage
from email.utils import formataddr, make_msgid

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from channels_app.email import intake, sending
from channels_app.email.reading.headers import one_line
from channels_app.models import AccountKind, ChannelAccount, Direction, Message

SHOWN = 20


class SimulatedForm(forms.Form):
    """An e-mail as a citizen writes it."""

    to = forms.ModelChoiceField(
        ChannelAccount.objects.none(), label=_("To"), to_field_name="address"
    )
    name = forms.CharField(label=_("Name"), max_length=100)
    address = forms.EmailField(label=_("Email"))
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    text = forms.CharField(label=_("Text"), max_length=20_000, widget=forms.Textarea({"rows": 8}))
    answer_to = forms.CharField(widget=forms.HiddenInput(), required=False)

    def clean_address(self) -> str:
        """The address, in signs that every mail server takes."""
        address: str = self.cleaned_data["address"]
        if not address.isascii():
            raise forms.ValidationError(_("Enter a valid email address."))
        return address

    def raw(self) -> bytes:
        """The message as it would come from the citizen's mail program."""
        said = self.cleaned_data
        message = EmailMessage()
        message["From"] = formataddr((one_line(said["name"]), said["address"]))
        message["To"] = said["to"].address
        message["Subject"] = one_line(said["subject"])
        message["Message-ID"] = make_msgid(domain="simulador.example")
        before = one_line(said["answer_to"])
        if before:
            message["In-Reply-To"] = message["References"] = f"<{before}>"
        message.set_content(said["text"])
        return message.as_bytes()


@require_http_methods(["GET", "HEAD", "POST"])
def simulator(request: HttpRequest) -> HttpResponse:
    """The citizen's side of e-mail, with a form and what has been sent lately."""
    if not settings.SIMULATORS:
        raise Http404
    accounts = ChannelAccount.objects.unscoped("a demo's own").filter(
        kind=AccountKind.EMAIL, is_active=True
    )
    form = SimulatedForm(request.POST or None, initial=_beginning(request))
    field = form.fields["to"]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = accounts.select_related("organisation", "unit", "queue").order_by("pk")
    if request.method == "POST" and form.is_valid():
        intake.take_in(form.cleaned_data["to"], form.raw())
        return redirect("mail:simulator")
    sent = (
        Message.objects.unscoped("a demo's own")
        .filter(account__in=accounts, direction=Direction.OUT)
        .select_related("account", "conversation")
        .order_by("-pk")[:SHOWN]
    )
    mails = [(message, sending.mail_of(message)) for message in sent]
    status = 422 if form.is_bound else 200
    return render(request, "mail/simulator.html", {"form": form, "mails": mails}, status=status)


def _beginning(request: HttpRequest) -> dict[str, str]:
    """An answer to one of the mails shown begins as that mail says."""
    number = request.GET.get("a", "")
    if not number.isdigit():
        return {}
    rows = Message.objects.unscoped("a demo's own").filter(account__kind=AccountKind.EMAIL)
    message = rows.filter(pk=int(number[:18]), direction=Direction.OUT).first()
    if message is None:
        return {}
    row = message.conversation
    return {
        "to": row.account.address,
        "name": row.contact_name,
        "address": row.contact_address,
        "subject": message.subject,
        "answer_to": message.external_id or "",
    }
