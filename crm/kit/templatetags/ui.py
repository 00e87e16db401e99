"""Template tags of the interface: components, icons, people, states and moments."""

import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.template import Context, Engine
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from crm.kit.public import OpenDoor, open_doors
from crm.kit.staticfiles import node_modules

register = template.Library()

# --- Components ---------------------------------------------------------------------------------

SHARED = ("request", "csrf_token", "LANGUAGE_CODE")
"""What every component sees beside the variables it is given."""


def _render(context: Context, name: str, values: Mapping[str, object]) -> SafeString:
    component = Engine.get_default().get_template(f"components/{name}.html")
    inner = context.new({key: context[key] for key in SHARED if key in context})
    inner.update(dict(values))
    return component.render(inner)


@register.simple_tag(takes_context=True, name="component")
def component_tag(context: Context, name: str, /, **values: object) -> SafeString:
    """Show templates/components/NAME.html with exactly these variables."""
    return _render(context, name, values)


@register.simple_block_tag(takes_context=True)
def wrap(context: Context, content: str, name: str, /, **values: object) -> SafeString:
    """Show templates/components/NAME.html around the enclosed text, which it finds as `body`."""
    return _render(context, name, {**values, "body": content})


# --- Icons --------------------------------------------------------------------------------------

_SHAPES = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_EMPTY_BOX = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')


@lru_cache(maxsize=512)
def _icon_shapes(name: str) -> str:
    path = node_modules() / "@tabler/icons/icons/outline" / f"{name}.svg"
    if not re.fullmatch(r"[a-z0-9-]+", name) or not path.is_file():
        if settings.DEBUG or settings.TESTING:
            raise template.TemplateSyntaxError(f"There is no icon called {name!r}.")
        return ""
    drawing = _SHAPES.search(path.read_text())
    shapes = _EMPTY_BOX.sub("", drawing[1]) if drawing else ""
    return re.sub(r"\s*\n\s*", "", shapes)


@register.simple_tag
@lru_cache(maxsize=1024)
def icon(name: str, size: str = "", extra: str = "") -> SafeString:
    """A Tabler outline icon, hidden from readers: text always stands beside it. size: s, l, xl."""
    classes = " ".join(filter(None, ["v-icon", size and f"v-icon-{size}", extra]))
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>',
        classes,
        mark_safe(_icon_shapes(name)),  # noqa: S308 - drawn by the icon package, not by people
    )


@register.simple_tag(takes_context=True)
def public_doors(context: Context, code: str) -> list[OpenDoor]:
    """The ways by which citizens reach that organisation, the one of this page marked."""
    request = context.get("request")
    return open_doors(code, request.path if request else "") if code else []


@register.simple_tag
def tile_server() -> Mapping[str, str]:
    """Where the pictures of maps come from, and whose they are; no address: maps are grids."""
    return {"url": settings.MAP_TILE_URL, "attribution": settings.MAP_ATTRIBUTION}


# --- People and states --------------------------------------------------------------------------

_TINTS = 5
_PARTICLES = frozenset({"de", "del", "la", "las", "los", "el", "i", "y", "e", "da", "do", "dos"})


@register.filter
def initials(name: str) -> str:
    """The first letters of a name's first and last words, particles and punctuation aside."""
    words = [word for word in re.findall(r"[^\W_]+", name) if word.lower() not in _PARTICLES]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def tint(name: str) -> int:
    """The tint of the name's initials, the same everywhere."""
    return zlib.crc32(name.encode()) % _TINTS + 1


@register.simple_tag
def avatar(name: str, size: str = "", present: bool = False, channel_icon: str = "") -> SafeString:
    """Initials on a tint that stays the same for the same name; the name always stands beside it."""
    classes = ["v-avatar", f"v-av{tint(name)}", size and f"v-avatar-{size}"]
    if present:
        classes.append("v-avatar-here")
    channel = (
        format_html('<span class="v-ch">{}</span>', icon(channel_icon)) if channel_icon else ""
    )
    return format_html(
        '<span class="{}" aria-hidden="true">{}{}</span>',
        " ".join(filter(None, classes)),
        initials(name),
        channel,
    )


STATES: Mapping[str, tuple[str, str, object]] = {
    # categories of a case's state
    "new": ("new", "inbox", _("New")),
    "open": ("run", "progress", _("In progress")),
    "waiting_citizen": ("cit", "hourglass", _("Waiting for citizen")),
    "waiting_third_party": ("ext", "building-community", _("Waiting for third party")),
    "resolved": ("ok", "circle-check", _("Resolved")),
    "closed": ("end", "archive", _("Closed")),
    # a clock's states
    "running": ("run", "clock", _("Running")),
    "paused": ("end", "player-pause", _("Paused")),
    "suspended": ("end", "player-pause", pgettext_lazy("deadline", "Suspended")),
    "at_risk": ("cit", "alert-triangle", _("At risk")),
    "breached": ("bad", "alarm", _("Breached")),
    "met": ("ok", "circle-check", _("Met")),
}
"""State -> colour of the chip, icon and default word; the same three wherever a state is shown."""


@register.simple_tag
def chip_state(category: str, label: str = "", size: str = "") -> SafeString:
    """A state as icon, colour and word; the label is the organisation's own word for it."""
    colour, icon_name, word = STATES[category]
    return format_html(
        '<span class="v-chip v-chip-{}{}">{}{}</span>',
        colour,
        " v-chip-l" if size == "l" else "",
        icon(icon_name),
        label or word,
    )


_CLOCK_ICONS = {"stop": "player-pause", "bad": "alarm"}


@register.simple_tag
def clock(
    level: str, text: str, done: int = 0, stopped: int = 0, large: bool = False
) -> SafeString:
    """The clock rail: one picture of time, the same in a row, a case's head and the citizen's page.

    level: ok, warn, bad, stop. text: what it says, "18 working days left". done: hundredths used,
    0-100; stopped: hundredths suspended, after the used ones. large: in a case's head.
    """
    return format_html(
        '<span class="v-clock{}" data-level="{}"><span class="v-clock-text">{}{}</span>'
        '<svg class="v-clock-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="done" width="{}" height="6"/>{}'
        '<rect class="left" x="{}" width="100" height="6"/></svg></span>',
        " v-clock-l" if large else "",
        level,
        icon(_CLOCK_ICONS.get(level, "clock")),
        text,
        str(done),
        format_html('<rect class="stop" x="{}" width="{}" height="6"/>', str(done), str(stopped))
        if stopped
        else "",
        str(done + stopped + 1),
    )


# --- Moments ------------------------------------------------------------------------------------

_MINUTE, _HOUR = 60, 3600
_DAY_FORMATS = {"en": "j M Y", "eu": "Y b j"}


def in_words(moment: datetime) -> str:
    """A moment in the reader's language and zone: 20 nov 2026, 09:41."""
    local = timezone.localtime(moment)
    return f"{_day(local)}, {date_format(local, 'H:i')}"


def _day(moment: datetime, *, weekday: bool = False, year: bool = True) -> str:
    """A date as people of the current language write it short: 20 nov 2026."""
    layout = _DAY_FORMATS.get((get_language() or "es")[:2], "j b Y")
    if not year:
        layout = layout.replace("Y", "").strip()
    if not weekday:
        return date_format(moment, layout)
    name = date_format(moment, "D")
    return f"{name if layout.startswith('j M') else name.lower()} {date_format(moment, layout)}"


def _relative(moment: datetime, now: datetime) -> str:
    seconds = (now - moment).total_seconds()
    days = (timezone.localdate(now) - moment.date()).days
    clock = date_format(moment, "H:i")
    minutes, hours = int(abs(seconds) // _MINUTE), int(abs(seconds) // _HOUR)
    if abs(seconds) < _MINUTE:
        return gettext("now")
    if abs(seconds) < _HOUR:
        text = gettext("%(count)s min ago") if seconds > 0 else gettext("in %(count)s min")
        return text % {"count": minutes}
    if days == 0:
        text = gettext("%(count)s h ago") if seconds > 0 else gettext("in %(count)s h")
        return text % {"count": hours}
    if days in (1, -1):
        text = gettext("yesterday, %(time)s") if days == 1 else gettext("tomorrow, %(time)s")
        return text % {"time": clock}
    return _day(moment, weekday=True, year=moment.year != now.year)


@register.simple_tag
def when(moment: datetime | None, style: str = "exact") -> SafeString | str:
    """A moment in the reader's language and zone. style: exact (date and time), date, time, relative.

    Whatever the style, the exact moment is in the title and the machine form in `datetime`.
    """
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    exact = in_words(moment)
    shown = {
        "exact": lambda: exact,
        "date": lambda: _day(local),
        "time": lambda: date_format(local, "H:i"),
        "relative": lambda: _relative(local, timezone.localtime()),
    }[style]()
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        exact,
        shown,
    )


# --- Forms --------------------------------------------------------------------------------------

_WIDGET_CLASSES = (
    ((RadioSelect, CheckboxSelectMultiple), ""),
    (CheckboxInput, "v-check"),
    (Select, "v-select"),
)


@register.simple_tag
def widget(field: BoundField, **attrs: str) -> SafeString:
    """A form field's control with the house's class; underscores in attribute names become dashes."""
    control = field.field.widget
    house = next((name for kind, name in _WIDGET_CLASSES if isinstance(control, kind)), "v-input")
    given = {key.replace("_", "-"): value for key, value in attrs.items()}
    own = str(control.attrs.get("class", ""))
    classes = " ".join(filter(None, [house, own, given.pop("class", "")]))
    return field.as_widget(attrs={**given, "class": classes} if classes else dict(given))


@register.filter
def is_choices(field: BoundField) -> bool:
    """Whether the field is a group of radio buttons or checkboxes."""
    return isinstance(field.field.widget, RadioSelect | CheckboxSelectMultiple)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Whether the field is one checkbox."""
    return isinstance(field.field.widget, CheckboxInput)


# --- Texts for the scripts ----------------------------------------------------------------------

SCRIPT_TEXTS: Mapping[str, object] = {
    "network": _(
        "You are offline. What you have written is saved"
        " and will be sent when the connection returns."
    ),
    "failed": _("This could not be done. Please try again."),
    "copied": _("Copied"),
    "passkey_cancelled": _("The passkey was not used: it was cancelled or took too long."),
    "passkey_impossible": _("This browser cannot use the passkey. Try another way."),
    "selected": _("Selected: %(count)s"),
    "results": _("Results: %(count)s"),
    "draft_saved": _("Draft saved at %(time)s"),
    "draft_restored": _("Your draft has been restored"),
    "draft_local": _("Draft kept on this device; it is saved when the connection returns"),
    "draft_differs": _("This draft was changed elsewhere at %(time)s:"),
    "draft_gone": _("This draft was sent, taken over or discarded elsewhere."),
    "draft_discarded": _("Draft discarded"),
    "undo": _("Undo"),
    "here_looks": _("%(name)s is looking at it"),
    "here_reply": _("%(name)s is answering"),
    "here_note": _("%(name)s is writing a note"),
    "here_said": _("%(name)s is writing down what the citizen said"),
    "here_data": _("%(name)s is changing the data"),
    "here_reply_long": _("%(name)s has been answering for %(minutes)s min"),
    "link_up": _("The live connection is back"),
    "link_lost": _("Live connection lost. Last update: %(time)s."),
    "upload_type": _("We cannot accept “%(filename)s”. Accepted formats: %(formats)s."),
    "upload_size": _("“%(filename)s” is %(size)s. The maximum is %(limit)s."),
    "upload_done": _("Uploaded: %(filename)s"),
    "progress": _("%(done)s of %(total)s"),
    "progress_rate": _("%(rate)s per second"),
    "pane_width": _("Width of the pane"),
    "preference_changed": _("Preference changed"),
    "idle": _("For security, the session will close at %(time)s. Do you want to continue?"),
}


@register.simple_tag
def script_texts() -> SafeString:
    """The sentences the scripts may say, in the reader's language, as a block of data."""
    return json_script({key: str(text) for key, text in SCRIPT_TEXTS.items()}, "script-texts")


# --- Languages ----------------------------------------------------------------------------------

_OWN_NAMES = {
    "es": "Español",
    "ca": "Català",
    "ca-es-valencia": "Valencià",
    "gl": "Galego",
    "eu": "Euskara",
    "fr": "Français",
    "en": "English",
}


@register.filter
def own_name(code: str) -> str:
    """A language's name in that language, as its speakers look for it in a list."""
    return _OWN_NAMES.get(code, code)
