"""HTML of strangers: made harmless, and read as text."""

import re
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

import nh3

from channels_app.email.reading.values import MOST_HTML

_TAGS = {
    *("a", "abbr", "b", "big", "blockquote", "br", "caption", "center", "code", "col", "colgroup"),
    *("dd", "del", "div", "dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i"),
    *("img", "ins", "kbd", "li", "ol", "p", "pre", "q", "s", "small", "span", "strike", "strong"),
    *("sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul"),
}
_ATTRIBUTES = {
    "*": {"style", "dir", "lang", "title", "align", "valign", "width", "height", "bgcolor"},
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "table": {"cellpadding", "cellspacing", "border"},
    "font": {"color", "size", "face"},
    "ol": {"start"},
}
_STYLES = {  # nothing that lays itself over anything, nor fetches
    *("color", "background-color", "font-size", "font-weight", "font-style", "font-family"),
    *("text-align", "text-decoration", "line-height", "white-space", "vertical-align"),
    *("margin", "margin-top", "margin-bottom", "margin-left", "margin-right"),
    *("padding", "padding-top", "padding-bottom", "padding-left", "padding-right"),
    *("border", "border-top", "border-bottom", "border-left", "border-right", "border-color"),
    *("border-collapse", "width", "height", "max-width"),
}
_BLOCKS = {
    *("p", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "pre"),
    *("blockquote", "hr", "dt", "dd", "center"),
}
_MOST_TAGS = 40_000
_DEEPEST = 400


def sanitised(html: str, picture: Callable[[str], str] | None = None) -> str:
    """The HTML with nothing that runs, fetches, overlays or posts.

    Pictures of elsewhere are left out; those the letter brings itself (`cid:`) are what `picture`
    gives for their id. Empty when it is too much to be harmless.
    """
    if _too_much(html):
        return ""

    def keep(tag: str, name: str, value: str) -> str | None:
        if tag == "img" and name == "src":
            called = value.strip()
            return (
                (picture(called[4:]) or None) if picture and called[:4].lower() == "cid:" else None
            )
        if name == "style":
            return None if _RISKY.search(value) else value
        return value

    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=keep,
        filter_style_properties=_STYLES,
        clean_content_tags={
            "script",
            "style",
            "title",
            "head",
            "noscript",
            "template",
            "svg",
            "math",
        },
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )


_PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 sans-serif;color:#1a1d21;background:#fff;margin:12px;overflow-wrap:anywhere}}
img{{max-width:100%;height:auto}}table{{max-width:100%}}blockquote{{margin:8px 0;padding-inline-start:12px;
border-inline-start:3px solid #c5cad1;color:#4a515a}}</style></head><body>{body}</body></html>"""


def page(clean: str, title: str, language: str) -> str:
    """Sanitised HTML as a document of its own, for a frame whose policy lets nothing run or load."""
    return _PAGE.format(body=clean, title=escape(title), language=escape(language))


_RISKY = re.compile(r"url\s*\(|expression|@import|javascript:|\\", re.IGNORECASE)


def _too_much(html: str) -> bool:
    if len(html) > MOST_HTML or html.count("<") > _MOST_TAGS:
        return True
    return _depth(html) > _DEEPEST


def _depth(html: str) -> int:
    """How deep the elements lie, at most: what is never closed counts for ever."""
    depth = deepest = 0
    for closing, name in _TAG.findall(html):
        if name.lower() in _VOID:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_VOID = {
    "br",
    "img",
    "hr",
    "meta",
    "link",
    "input",
    "col",
    "p",
    "li",
    "td",
    "tr",
    "th",
    "o",
    "font",
}


def as_text(html: str) -> str:
    """What the HTML says; quotations as lines that begin with « > »."""
    reader = _Reader()
    reader.feed(sanitised(html[:MOST_HTML]) or _STRIPPED.sub(" ", html[:MOST_HTML]))
    reader.close()
    lines = [" ".join(line.split(" ")).rstrip() for line in reader.text().split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


_STRIPPED = re.compile(r"<[^<>]{0,2000}>")


class _Reader(HTMLParser):
    """Collects the text of HTML that has been sanitised."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._quoted = 0
        self._kept = 0  # within <pre>

    def text(self) -> str:
        return "\n".join(self._lines)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "blockquote":
            self._fresh()
            self._quoted += 1
        elif tag == "br":
            self._line()
        elif tag in _BLOCKS:
            self._fresh()
            if tag == "li":
                self._add("- ")
        self._kept += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag == "blockquote":
            self._fresh()
            self._quoted = max(0, self._quoted - 1)
        elif tag == "td":
            self._add(" ")
        elif tag in _BLOCKS:
            self._fresh()
            if tag in {"p", "h1", "h2", "h3", "table", "ul", "ol"}:
                self._line()
        self._kept = max(0, self._kept - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self._kept:
            first, *rest = data.split("\n")
            self._add(first)
            for line in rest:
                self._line()
                self._add(line)
            return
        words = " ".join(data.split())
        if not words:
            if data and self._lines[-1] and not self._lines[-1].endswith(" "):
                self._add(" ")
            return
        self._add(f"{' ' * data[0].isspace()}{words}{' ' * data[-1].isspace()}")

    def _add(self, text: str) -> None:
        if not self._lines[-1]:
            text = ("> " * min(self._quoted, 5)) + text.lstrip()
        self._lines[-1] += text

    def _line(self) -> None:
        self._lines.append("")

    def _fresh(self) -> None:
        if self._lines[-1]:
            self._line()
