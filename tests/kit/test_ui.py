"""Template tags, components and static files of the interface."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template import Context, Template, TemplateDoesNotExist, TemplateSyntaxError
from django.test import override_settings
from django.utils import timezone, translation

from crm.kit.staticfiles import VENDOR_FILES, NodeModulesFinder
from crm.kit.templatetags.ui import STATES, icon, initials

TEMPLATES = Path(settings.BASE_DIR) / "templates"
STATIC = Path(settings.BASE_DIR) / "static"
FRIDAY = datetime(2026, 11, 20, 8, 41, tzinfo=UTC)  # 09:41 in Madrid


def show(source: str, **variables: object) -> str:
    return Template(source).render(Context(variables))


# --- Tags ---------------------------------------------------------------------------------------


def test_a_component_sees_only_what_it_is_given() -> None:
    html = show(
        '{% component "banner" text=said %}', said="<b>Stop</b>", level="bad", body="from outside"
    )
    assert "&lt;b&gt;Stop&lt;/b&gt;" in html
    assert "v-banner-bad" not in html
    assert "from outside" not in html


def test_wrap_puts_markup_inside_the_component() -> None:
    html = show('{% wrap "panel" id="a" title="T" %}<p>{{ x }}</p>{% endwrap %}', x="1 < 2")
    assert '<section class="v-panel" aria-labelledby="a">' in html
    assert "<p>1 &lt; 2</p></section>" in html


def test_a_component_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(TemplateDoesNotExist):
        show('{% component "nothing" %}')


def test_an_icon_is_drawn_inline_and_hidden_from_readers() -> None:
    html = icon("alarm", "s")
    assert html.startswith('<svg class="v-icon v-icon-s" viewBox="0 0 24 24" aria-hidden="true">')
    assert "M12 10l0 3l2 0" in html
    assert "M0 0h24v24H0z" not in html


@pytest.mark.parametrize("name", ["no-such-icon", "../outline/alarm", ""])
def test_an_unknown_icon_is_an_error(name: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        icon(name)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Nuria Sanchís", "NS"),
        ("María del Carmen", "MC"),
        ("Bartolomé de la Hoz y Ruiz", "BR"),
        ("Talleres Ficticios, S. L.", "TL"),
        ("Òscar", "Ò"),
        ("", "?"),
        ("...", "?"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_the_same_person_keeps_the_same_tint() -> None:
    first, again = (show('{% avatar "Omar Bendaoud" %}') for _ in range(2))
    assert first == again
    assert re.search(r"v-av[1-5]\b", first)
    assert 'aria-hidden="true"' in first


@pytest.mark.parametrize("category", STATES)
def test_a_state_is_never_told_by_colour_alone(category: str) -> None:
    html = show("{% chip_state category %}", category=category)
    assert "<svg" in html
    assert str(STATES[category][2]) in html


def test_a_state_takes_the_organisations_word() -> None:
    html = show('{% chip_state "open" word %}', word="<Pending>")
    assert "&lt;Pending&gt;" in html
    assert "In progress" not in html


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "20 nov 2026, 09:41"), ("en", "20 Nov 2026, 09:41"), ("eu", "2026 aza 20, 09:41")],
)
def test_when_speaks_the_readers_language_and_zone(language: str, words: str) -> None:
    with translation.override(language):
        html = show("{% when moment %}", moment=FRIDAY)
    assert html == f'<time datetime="2026-11-20T09:41:00+01:00" title="{words}">{words}</time>'


def test_when_keeps_the_exact_moment_in_the_title() -> None:
    with translation.override("es"):
        html = show('{% when moment "date" %}', moment=FRIDAY)
    assert html.endswith('title="20 nov 2026, 09:41">20 nov 2026</time>')


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(minutes=-12), "in 12 min"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(hours=16), "yesterday, 17:41"),
        (timedelta(days=-1), "tomorrow, 09:41"),
        (timedelta(days=2), "Wed 18 Nov"),
        (timedelta(days=400), "Thu 16 Oct 2025"),
    ],
)
def test_when_is_relative_near_now(
    monkeypatch: pytest.MonkeyPatch, ago: timedelta, words: str
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: FRIDAY)
    with translation.override("en"):
        html = show('{% when moment "relative" %}', moment=FRIDAY - ago)
    assert f">{words}</time>" in html


def test_when_says_nothing_of_a_moment_that_was_not() -> None:
    assert show("{% when moment %}", moment=None) == ""


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As on the card")
    way = forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect)


def test_a_refused_field_is_tied_to_its_hint_and_error() -> None:
    form = SampleForm({})
    html = show('{% component "field" field=form.name %}', form=form)
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'class="v-input"' in html
    assert '<label for="id_name">' in html


def test_the_error_summary_links_to_every_field() -> None:
    form = SampleForm({})
    html = show('{% component "errors" form=form %}', form=form)
    assert 'href="#id_name"' in html
    assert 'href="#id_way"' in html
    assert 'id="id_way"' in show('{% component "field" field=form.way %}', form=form)
    assert show('{% component "errors" form=form %}', form=SampleForm()) == "\n"


# --- Templates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted(TEMPLATES.glob("components/*.html")), ids=lambda f: f.stem)
def test_every_component_says_what_it_takes(file: Path) -> None:
    assert re.match(r"\{% comment %\}|\{#", file.read_text())


INLINE = re.compile(
    r"<style|\sstyle=|\son[a-z]+=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE
)


NO_PAGES = {"pdf", "mail", "email", "messages"}
PAGES = [
    file
    for file in sorted(TEMPLATES.rglob("*.html"))
    if not NO_PAGES.intersection([*file.parts, file.stem])
]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_no_template_needs_inline_script_or_style(file: Path) -> None:
    without_comments = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", file.read_text())
    assert not INLINE.search(without_comments)


# --- Static files -------------------------------------------------------------------------------


def test_only_the_named_vendor_files_are_served() -> None:
    finder = NodeModulesFinder()
    assert {name for name, _ in finder.list(None)} == set(VENDOR_FILES)
    for path_ in VENDOR_FILES:
        assert Path(finder.find(path_)).is_file()
        assert finders.find(path_)


@pytest.mark.parametrize(
    "path_",
    [
        "axe-core/axe.js",
        "htmx.org/dist/htmx.min.js",
        "vendor/htmx/../../package.json",
        "vendor/",
        "vendor/leaflet/leaflet-src.js",
    ],
)
def test_nothing_else_of_node_modules_is_served(path_: str) -> None:
    assert NodeModulesFinder().find(path_) == []
    assert NodeModulesFinder().find(path_, find_all=True) == []


def test_hashed_files_refer_to_hashed_files(tmp_path: Path) -> None:
    with override_settings(
        STATIC_ROOT=tmp_path,
        STATICFILES_FINDERS=[
            "django.contrib.staticfiles.finders.FileSystemFinder",
            "crm.kit.staticfiles.NodeModulesFinder",
        ],
        STORAGES={
            **settings.STORAGES,
            "staticfiles": {"BACKEND": "crm.kit.staticfiles.HashedStorage"},
        },
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
    hashed = re.compile(r"\.[0-9a-f]{12}\.")
    own = [f for f in tmp_path.rglob("*") if hashed.search(f.name) and f.suffix in {".css", ".js"}]
    followed = 0
    for file in own:
        if "vendor" in file.parts and file.suffix == ".js":
            continue  # libraries import nothing
        for reference in re.findall(
            r'(?:from |import ?\(?|url\()["\']([^"\'#:]+)["\']', file.read_text()
        ):
            target = (file.parent / reference).resolve()
            assert target.is_file(), f"{file.name} refers to {reference}"
            assert hashed.search(target.name), f"{file.name} refers to the unhashed {reference}"
            followed += 1
    assert followed > 60
    assert not list(tmp_path.rglob("axe*"))


def test_every_sentence_of_the_scripts_is_given_to_them() -> None:
    sources = "".join(file.read_text() for file in (STATIC / "js").rglob("*.js"))
    page = show("{% script_texts %}")
    given = set(re.findall(r'"(\w+)": "', page))
    assert set(re.findall(r'\btext\("(\w+)"', sources)) <= given
    assert [key for key in given if f'"{key}"' not in sources] == []
