"""The same bytes are kept once, so that whoever removes a file must know of every row about it."""

from django.apps import apps

from crm.kit.files import holders

OF_ITS_OWN_WORDS = {"cases.frozenanswer"}  # a digest of what the row itself says, not of a file


def test_every_row_about_kept_bytes_is_asked_before_a_file_is_removed() -> None:
    about = {
        model._meta.label_lower
        for model in apps.get_models()
        if any(field.name == "sha256" for field in model._meta.fields)
        and not model.__name__.endswith("Event")
    }
    assert {model._meta.label_lower for model in holders.values()} == about - OF_ITS_OWN_WORDS
