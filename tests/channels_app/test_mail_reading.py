"""Reading raw messages: what strangers' mail programs write, and what attackers do. Pure, no database."""

import struct
import time
from collections import Counter
from pathlib import Path

import pytest

from channels_app.email.reading import Kind, Letter, markup, read

HEAD = b"From: Ana <ana@example.org>\nTo: a@here.example\nSubject: x\nMessage-ID: <1@b.es>\n"


def said(body: str) -> str:
    return read(HEAD + b"\n" + body.encode()).text


# --- Real mail ------------------------------------------------------------------------------------


def test_every_message_of_the_corpus_is_read(shared_data: Path) -> None:
    kinds: Counter[tuple[str, str]] = Counter()
    for path in sorted((shared_data / "email").rglob("*")):
        if path.is_file():
            letter = read(path.read_bytes())
            assert isinstance(letter, Letter)
            assert "\0" not in letter.text + letter.subject + letter.html
            letter.text.encode()  # no half surrogate pairs
            kinds[path.parent.name, letter.kind.value] += 1
    assert sum(kinds.values()) > 250
    assert kinds["bounces", "bounce"] >= 155
    assert kinds["bounces", "complaint"] >= 7
    assert kinds["bounces", "auto_reply"] >= 3
    assert kinds["multipart_report_emails", "bounce"] == 5
    for folder in ("replies_plain", "php_mime", "rfc2822", "multi_charset", "attachment_emails"):
        assert {kind for place, kind in kinds if place == folder} == {"message"}, folder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("email_1_4", "Awesome! I haven't had another problem with it."),
        ("email_1_8", "I will reply under this one\n\nand under this."),
        ("email_2_1", "Outlook with a reply"),
        ("email_2_2", "Outlook with a reply directly above line"),
        ("email_BlackBerry", "Here is another email"),
        ("email_iPhone", "Here is another email"),
        ("email_multi_word_sent_from_my_mobile_device", "Here is another email"),
        ("correct_sig", "this is an email with a correct -- signature."),
    ],
)
def test_quotes_and_signatures_of_the_corpus_are_folded(
    shared_data: Path, name: str, expected: str
) -> None:
    body = (shared_data / "email" / "replies_plain" / f"{name}.txt").read_bytes()
    assert read(HEAD + b"\n" + body).text == expected


def test_japanese_and_korean_of_the_corpus(shared_data: Path) -> None:
    place = shared_data / "email" / "rubymail" / "multi_charset"
    assert read((place / "japanese_iso_2022.eml").read_bytes()).text == "すみません。"
    assert read((place / "japanese.eml").read_bytes()).subject == "まみむめも"
    assert read((place / "ks_c_5601-1987.eml").read_bytes()).text == "스티해"


# --- Words said, quoted, signed -------------------------------------------------------------------


@pytest.mark.parametrize(
    "introduction",
    [
        "El lun, 16 nov 2026 a las 9:41, Atención (<a@b.es>) escribió:",
        "On Mon, Nov 16, 2026 at 9:41 AM Help <a@b.es> wrote:",
        "Le lun. 16 nov. 2026 à 09:41, Aide <a@b.fr> a écrit :",
        "El dl., 16 de nov. 2026 a les 9:41, Atenció va escriure:",
        "O luns, 16 nov 2026 ás 9:41, Atención escribiu:",
        "-----Mensaje original-----",
        "De: Atención\nEnviado: lunes, 16 de noviembre de 2026\nPara: Ana\nAsunto: Consulta",
        "________________________________\nDe: Atención\nEnviado: lunes\nPara: Ana\nAsunto: x",
    ],
)
def test_what_is_answered_is_folded_in_every_language(introduction: str) -> None:
    assert said(f"Gracias, lo envío mañana.\n\n{introduction}\n\nBuenos días:\nFalta el DNI.") == (
        "Gracias, lo envío mañana."
    )


def test_words_between_quotations_are_said_and_the_rest_is_kept() -> None:
    letter = read(HEAD + b"\nOn Mon Help wrote:\n> one\n\nyes\n\n> two\n\nno\n")
    assert letter.text == "yes\n\nno"
    assert [block.kind for block in letter.blocks] == ["quoted", "said", "quoted", "said"]


def test_a_letter_of_nothing_but_a_quotation_is_read_whole() -> None:
    assert said("> una\n> dos") == "> una\n> dos"


def test_flowed_lines_are_joined() -> None:
    raw = (
        HEAD
        + b"Content-Type: text/plain; format=flowed\n\nuna frase \nque sigue\n\n> de \n> ayer\n"
    )
    letter = read(raw)
    assert letter.text == "una frase que sigue"
    assert letter.blocks[1].text == "> de ayer"


# --- Charsets and encodings -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("", "mañana".encode()),
        ("", "mañana".encode("cp1252")),
        ("iso-8859-1", "mañana".encode()),  # says one thing and is another
        ("us-ascii", "mañana".encode()),
        ("no-such-charset", "mañana".encode()),
        ("utf-8", "mañana".encode("latin-1")),
        ("utf-16", "mañana".encode("utf-16")),
        ('"windows-1252"', "mañana".encode("cp1252")),
    ],
)
def test_a_wrong_or_missing_charset_is_made_up_for(charset: str, content: bytes) -> None:
    kind = b"Content-Type: text/plain" + (f"; charset={charset}" if charset else "").encode()
    encoded = b"Content-Transfer-Encoding: base64\n\n"
    import base64

    assert read(HEAD + kind + b"\n" + encoded + base64.b64encode(content)).text == "mañana"


@pytest.mark.parametrize(
    "name", [b"quoted-printable;", b" Quoted-Printable ", b"quoted-printable (x)"]
)
def test_a_misspelt_encoding_is_read_as_it_was_meant(name: bytes) -> None:
    assert read(HEAD + b"Content-Transfer-Encoding: " + name + b"\n\nma=C3=B1ana").text == "mañana"


def test_headers_in_raw_bytes_and_in_encoded_words() -> None:
    raw = "From: José <jose@example.org>\nSubject: =?utf-8?q?Ayuda_ma=C3=B1ana?=\n\nx".encode()
    letter = read(raw)
    assert (letter.sender.name, letter.sender.address) == ("José", "jose@example.org")
    assert letter.subject == "Ayuda mañana"


# --- Files ----------------------------------------------------------------------------------------


def test_uuencoded_text_becomes_a_file() -> None:
    letter = read(HEAD + b"\nAdjunto:\n\nbegin 644 nota.txt\n$:&]L80``\n`\nend\nGracias\n")
    assert [(file.name, file.content[:4]) for file in letter.files] == [("nota.txt", b"hola")]
    assert letter.text == "Adjunto:\n\n\nGracias"


def _tnef(*attributes: tuple[int, bytes]) -> bytes:
    body = b"".join(
        struct.pack("<BII", 2, number, len(value)) + value + b"\0\0" for number, value in attributes
    )
    return struct.pack("<IH", 0x223E9F78, 1) + body


def test_winmail_is_unpacked() -> None:
    import base64

    content = _tnef(
        (0x00069002, b"x" * 14), (0x00018010, b"carta.txt\0"), (0x0006800F, b"Hola desde Outlook")
    )
    raw = (
        HEAD + b"Content-Type: application/ms-tnef; name=winmail.dat\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(content)
    )
    letter = read(raw)
    assert [(file.name, file.content) for file in letter.files] == [
        ("carta.txt", b"Hola desde Outlook")
    ]
    broken = read(raw[:-12])
    assert broken.files == ()
    assert [(one.name, one.why) for one in broken.refused] == [("winmail.dat", "unreadable")]


def test_a_message_within_the_message_becomes_a_text_and_its_files() -> None:
    inner = (
        b"From: Luis <luis@example.org>\nSubject: El papel\nContent-Type: multipart/mixed; boundary=i\n\n"
        b"--i\n\nAqui va.\n--i\nContent-Type: application/pdf; name=p.pdf\n\n%PDF-1.4\n--i--\n"
    )
    raw = (
        HEAD + b"Content-Type: multipart/mixed; boundary=o\n\n--o\n\nMire esto.\n"
        b"--o\nContent-Type: message/rfc822\n\n" + inner + b"\n--o--\n"
    )
    letter = read(raw)
    assert letter.text == "Mire esto."
    assert [file.name for file in letter.files] == ["El papel.txt", "p.pdf"]
    assert b"From: Luis <luis@example.org>" in letter.files[0].content
    assert b"Aqui va." in letter.files[0].content


# --- Kinds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "kind", "answerable"),
    [
        (b"", Kind.MESSAGE, True),
        (b"Auto-Submitted: auto-replied\n", Kind.AUTO_REPLY, False),
        (b"Auto-Submitted: no\n", Kind.MESSAGE, True),
        (b"X-Autoreply: yes\n", Kind.AUTO_REPLY, False),
        (b"Precedence: bulk\n", Kind.MESSAGE, False),
        (b"List-Id: <x.example>\n", Kind.MESSAGE, False),
        (b"X-Auto-Response-Suppress: All\n", Kind.MESSAGE, False),  # no automatic reply itself
        (b"Return-Path: <>\n", Kind.MESSAGE, False),
        (b"X-Ventanilla-Loop: mark\n", Kind.LOOP, False),
        (b"Received: x\n" * 40, Kind.LOOP, False),
    ],
)
def test_who_wrote_it(headers: bytes, kind: Kind, answerable: bool) -> None:
    letter = read(HEAD + headers + b"\nHola", mark="mark")
    assert (letter.kind, letter.answerable) == (kind, answerable)


@pytest.mark.parametrize(
    "sender", ["no-reply", "noreply", "postmaster", "MAILER-DAEMON", "bounces+1"]
)
def test_machines_are_not_answered(sender: str) -> None:
    assert not read(f"From: {sender}@example.org\n\nHola".encode()).answerable


def test_our_own_addresses_are_known() -> None:
    assert read(HEAD + b"\nHola", own={"ana@example.org"}).kind == Kind.OWN


REPORT = b"""From: MAILER-DAEMON@mx.example
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

No pudo ser.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; ana@example.org
Action: %s
Status: %s
Diagnostic-Code: smtp; 550 5.1.1 unknown

--b
Content-Type: text/rfc822-headers

Message-ID: <ours.token@here.example>
--b--
"""


@pytest.mark.parametrize(
    ("action", "status", "failed", "lasting"),
    [
        (b"failed", b"5.1.1", True, True),
        (b"failed", b"4.4.7", True, False),
        (b"delayed", b"4.4.1", False, False),
        (b"delivered", b"2.0.0", False, False),
    ],
)
def test_a_report_says_what_became_of_it(
    action: bytes, status: bytes, failed: bool, lasting: bool
) -> None:
    letter = read(REPORT % (action, status))
    assert letter.kind == Kind.BOUNCE
    report = letter.report
    assert report is not None
    assert (report.failed, report.lasting) == (failed, lasting)
    assert report.recipient == "ana@example.org"
    assert report.original_id == "ours.token@here.example"


def test_a_vacation_note_is_no_bounce() -> None:
    letter = read(HEAD.replace(b"Subject: x", b"Subject: Fuera de la oficina") + b"\nNo deliver.")
    assert letter.kind == Kind.AUTO_REPLY


# --- HTML -----------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://tracker.example/p.gif'>",
    "<svg onload=alert(1)>",
    "<iframe src='https://evil.example'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<form action='https://evil.example'><input name=p></form>",
    "<div style='position:fixed;inset:0;background:url(https://evil.example/x)'>x</div>",
    "<style>@import 'https://evil.example/x.css'</style>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<object data='https://evil.example'></object><embed src='https://evil.example'>",
    "<td background='https://evil.example/x.gif'>x</td>",
]


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_of_html_runs_fetches_or_overlays(html: str) -> None:
    clean = markup.sanitised(f"<p>hola</p>{html}").lower()
    assert "hola" in clean
    for word in (
        "script",
        "onerror",
        "onload",
        "evil.example",
        "tracker",
        "position",
        "<form",
        "url(",
    ):
        assert word not in clean, clean


def test_only_the_letters_own_pictures_are_shown() -> None:
    html = "<img src='cid:logo@x' alt='L'><img src='data:image/png;base64,AAAA'><img src='//x.example/a'>"
    shown = markup.sanitised(html, lambda called: f"data:image/webp;base64,{called}")
    assert shown.count("src=") == 1
    assert "data:image/webp;base64,logo@x" in shown


def test_html_alone_is_read_as_text_with_its_quotations() -> None:
    html = b"<p>Hola</p><ul><li>uno</li></ul><p>El lunes, Ana escribi\xc3\xb3:</p><blockquote>antes</blockquote>"
    letter = read(HEAD + b"Content-Type: text/html; charset=utf-8\n\n" + html)
    assert letter.text == "Hola\n\n- uno"
    assert "> antes" in letter.blocks[-1].text


# --- Traps ----------------------------------------------------------------------------------------

_MIXED = b'Content-Type: multipart/mixed; boundary="b"\n\n'
_NESTED = b"".join(
    b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(140)
)
TRAPS = {
    "a long word": HEAD + b"\n" + b"a" * 10**6 + b"!",
    "a long beginning of an introduction": HEAD + b"\n" + b"On " * 400_000,
    "signs of quotation": HEAD + b"\n" + b">" * 10**6,
    "lines that may be introductions": HEAD + b"\n" + b"On 1\n" * 100_000,
    "a hundred thousand parts": HEAD + _MIXED + b"--b\n\nx\n" * 100_000,
    "nine thousand parts": HEAD + _MIXED + b"--b\n\nx\n" * 9_000,
    "parts in parts": HEAD + _NESTED,
    "messages in messages": HEAD + b"Content-Type: message/rfc822\n\n" * 140,
    "more messages in messages": HEAD + b"Content-Type: message/rfc822\n\n" * 5_000,
    "a header of a megabyte": HEAD + b"X: " + b"y" * 10**6 + b"\n\nx",
    "recipients without end": HEAD + b"To: " + b"a@b.es," * 200_000 + b"\n\nx",
    "brackets": HEAD + b"To: " + b"(" * 200_000 + b"\n\nx",
    "parameters": HEAD + b"Content-Type: application/pdf" + b"; a=b" * 50_000 + b"\n\nx",
    "beginnings of uuencoded files": HEAD + b"\n" + b"begin 644 a\n" * 50_000,
    "a charset that is slow": HEAD
    + b"Content-Type: text/plain; charset=punycode\n\n"
    + b"a" * 10**6,
    "elements in elements": HEAD + b"Content-Type: text/html\n\n" + b"<div>" * 100_000,
    "a lot of formatting": HEAD + b"Content-Type: text/html\n\n" + b"<b>x" * 300_000,
    "no base64": HEAD + b"Content-Transfer-Encoding: base64\n\n" + b"@@@@" * 500_000,
    "headers": b"A: b\n" * 100_000 + HEAD + b"\nx",
    "nothing": b"",
    "a zero": b"\0",
    "no header": b"\n\n\n",
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_neither_stops_nor_breaks_the_reading(name: str) -> None:
    began = time.process_time()
    letter = read(TRAPS[name])
    assert isinstance(letter, Letter)
    assert (
        time.process_time() - began < 5
    )  # far above what it takes: only a trap that works is caught
    assert len(letter.files) <= 50


def test_what_is_not_read_is_said() -> None:
    assert [one.why for one in read(TRAPS["parts in parts"]).refused] == ["too_deep"]
    assert [one.why for one in read(TRAPS["a hundred thousand parts"]).refused] == ["too_many"]
    assert read(TRAPS["a hundred thousand parts"]).sender.address == "ana@example.org"


def test_no_line_break_gets_into_what_becomes_a_header() -> None:
    raw = (
        b"From: =?utf-8?q?Ana=0D=0ABcc=3A_x=40y.es?= <ana@example.org>\n"
        b"Subject: =?utf-8?q?Hola=0D=0ABcc=3A_x=40y.es?=\nMessage-ID: <a\r\n b@c>\n\nx"
    )
    letter = read(raw)
    for text in (letter.subject, letter.sender.name, letter.message_id):
        assert "\n" not in text
        assert "\r" not in text
