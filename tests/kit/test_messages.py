"""Messages: which language they come in, what stands in for a missing one, how they are extracted."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings
from django.utils import translation
from django.utils.translation import gettext, ngettext, pgettext, to_locale


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The house's catalogues, in use."""
    place = tmp_path_factory.mktemp("locale")
    for source in sorted((settings.BASE_DIR / "locale").glob("*/LC_MESSAGES/django.po")):
        target = place / source.parent.parent.name / "LC_MESSAGES" / "django.mo"
        target.parent.mkdir(parents=True)
        subprocess.run(["msgfmt", "--check-format", "-o", target, source], check=True)
    with override_settings(LOCALE_PATHS=[place]):
        yield place


def test_every_language_has_its_folder(compiled: Path) -> None:
    assert to_locale("ca-es-valencia") == "ca_ES-valencia"
    codes = {code for code, _name in settings.LANGUAGES} - {"en"}
    assert {folder.name for folder in compiled.iterdir()} == {to_locale(code) for code in codes}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "Revise los datos señalados antes de continuar."),
        ("ca", "Reviseu les dades assenyalades abans de continuar."),
        ("ca-es-valencia", "Reviseu les dades assenyalades abans de continuar."),
        ("gl", "Revise os datos sinalados antes de continuar."),
        ("eu", "Berrikusi markatutako datuak aurrera egin baino lehen."),
        ("fr", "Vérifiez les informations signalées avant de continuer."),
        ("en", "Check the highlighted information before you continue."),
    ],
)
def test_a_sentence_is_said_in_each_language(compiled: Path, language: str, words: str) -> None:
    with translation.override(language):
        assert gettext("Check the highlighted information before you continue.") == words


def test_valencian_has_its_own_words_where_they_differ(compiled: Path) -> None:
    with translation.override("ca-es-valencia"):
        assert gettext("Not delivered") == "No entregat"
    with translation.override("ca"):
        assert gettext("Not delivered") == "No lliurat"


def test_what_is_missing_in_a_language_is_said_in_spanish(compiled: Path) -> None:
    for language in ("ca", "ca-es-valencia", "gl", "eu", "fr"):
        with translation.override(language):
            assert gettext("Roles and permissions") == "Roles y permisos"
    with translation.override("en"):
        assert gettext("Roles and permissions") == "Roles and permissions"


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", ["2 sessions have ended.", "1 session has ended.", "1000000 sessions have ended."]),
        ("es", ["Se han cerrado 2 sesiones.", "Se ha cerrado 1 sesión.", "Se han cerrado 1000000 sesiones."]),
    ],
)  # fmt: skip
def test_counts_have_their_plurals(compiled: Path, language: str, forms: list[str]) -> None:
    with translation.override(language):
        said = [
            ngettext("%(count)s session has ended.", "%(count)s sessions have ended.", count)
            % {"count": count}
            for count in (2, 1, 1_000_000)
        ]
    assert said == forms


def test_a_word_with_two_meanings_has_a_context(compiled: Path) -> None:
    with translation.override("es"):
        assert pgettext("audit", "Viewed") == "Consultado"
        assert gettext("Viewed") == "Viewed"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small project that marks two messages, one of which no longer counts."""
    (tmp_path / "locale").mkdir()
    (tmp_path / "room.py").write_text('_ = gettext\n\n\n_("Close the door")\n')
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_room.py").write_text('_("Not for people")\n')
    monkeypatch.chdir(tmp_path)
    with override_settings(LOCALE_PATHS=[tmp_path / "locale"]):
        yield tmp_path


def catalogue(project: Path, folder: str) -> str:
    return (project / "locale" / folder / "LC_MESSAGES" / "django.po").read_text()


def test_extraction_finds_the_languages_and_writes_no_dates(project: Path) -> None:
    call_command("makemessages", verbosity=0)

    folders = {path.name for path in (project / "locale").iterdir() if path.is_dir()}
    assert folders == {"es", "ca", "ca_ES-valencia", "gl", "eu", "fr"}
    found = catalogue(project, "ca_ES-valencia")
    assert '#: room.py\nmsgid "Close the door"\nmsgstr ""' in found
    assert "Not for people" not in found
    assert "POT-Creation-Date" not in found


def test_a_changed_message_is_untranslated_and_the_old_one_gone(project: Path) -> None:
    call_command("makemessages", verbosity=0)
    path = project / "locale" / "es" / "LC_MESSAGES" / "django.po"
    path.write_text(
        path.read_text().replace('door"\nmsgstr ""', 'door"\nmsgstr "Cerrar la puerta"')
    )
    assert "Cerrar la puerta" in catalogue(project, "es")
    call_command("makemessages", verbosity=0, locale=["es"])
    assert "Cerrar la puerta" in catalogue(project, "es")

    (project / "room.py").write_text('_("Close the doors")\n')
    call_command("makemessages", verbosity=0, locale=["es"])

    after = catalogue(project, "es")
    assert 'msgid "Close the doors"\nmsgstr ""' in after
    assert "puerta" not in after
    assert "fuzzy" not in after.partition('msgid "Close')[2]
