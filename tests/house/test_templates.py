"""Every template compiles, and none brings code or style of its own past the policy of content."""

import re

import pytest
from django.template import engines
from django.template.loader import get_template

from tests.house.sources import templates

OURS = sorted(templates())
_SCRIPT = re.compile(
    r"<script\b(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL | re.IGNORECASE
)
_ON = re.compile(r"\s(on[a-z]+)\s*=", re.IGNORECASE)
_STYLE = re.compile(r"\sstyle\s*=|<style\b", re.IGNORECASE)
_COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)
_FOREIGN = re.compile(r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE)


def _code(name: str) -> str:
    return _COMMENT.sub("", templates()[name])


@pytest.mark.parametrize("name", OURS)
def test_a_template_compiles(name: str) -> None:
    short = name.split("templates/", 1)[1]
    assert get_template(short)


@pytest.mark.parametrize("name", OURS)
def test_a_template_has_no_inline_code_nor_style(name: str) -> None:
    text = _code(name)
    for found in _SCRIPT.finditer(text):
        data = 'type="application/json"' in found["attributes"]
        assert data or "src=" in found["attributes"], found[0][:80]
        assert data or not found["body"].strip(), found[0][:80]
    assert not _STYLE.search(text), _STYLE.search(text)
    outside = re.sub(r"\{[{%].*?[%}]\}", "", text, flags=re.DOTALL)
    assert not _ON.search(outside), _ON.search(outside)
    assert "javascript:" not in text.lower()


@pytest.mark.parametrize("name", OURS)
def test_a_template_fetches_nothing_from_elsewhere(name: str) -> None:
    assert not _FOREIGN.search(_code(name)), _FOREIGN.search(_code(name))


@pytest.mark.parametrize("name", OURS)
def test_a_template_marks_nothing_as_safe(name: str) -> None:
    """What is safe says so where it is made (format_html, mark_safe with a reason)."""
    text = _code(name)
    assert "|safe" not in text.replace("|safeseq", ""), name
    assert "autoescape off" not in text, name


@pytest.mark.parametrize("name", OURS)
def test_every_form_that_changes_something_carries_its_token(name: str) -> None:
    for form in re.findall(r"<form\b.*?</form>", _code(name), re.DOTALL | re.IGNORECASE):
        if re.search(r"""method\s*=\s*["']post["']""", form, re.IGNORECASE):
            assert "csrf_token" in form, form[:160]


def test_templates_escape_by_default() -> None:
    engine = engines["django"]
    assert engine.from_string("{{ text }}").render({"text": "<b>"}) == "&lt;b&gt;"
