"""Permissions as Django rows: guardian hangs them on an Organisation or a Unit."""

from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType

from crm.kit.policy import catalogue
from crm.organisations.models import Organisation, Unit

PLACES = (Organisation, Unit)


def create_permissions(**_kwargs: Any) -> None:
    """Give every declared permission its two rows: one for organisations, one for units."""
    types = [ContentType.objects.get_for_model(place) for place in PLACES]
    known = set(
        Permission.objects.filter(content_type__in=types).values_list("content_type_id", "codename")
    )
    Permission.objects.bulk_create(
        Permission(content_type=kind, codename=name, name=name)
        for kind in types
        for name in catalogue
        if (kind.pk, name) not in known
    )
