"""Rows are reached for an actor: another organisation's row does not exist."""

from typing import Any, Self, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from crm.kit.actor import Actor

M = TypeVar("M", bound=models.Model)


class ScopedQuerySet(models.QuerySet[M]):
    """A queryset that is asked for an actor's rows; models with finer rules override `for_actor`."""

    organisation_path = "organisation_id"

    def for_actor(self, actor: Actor) -> Self:
        """Keep the rows that exist for this actor."""
        return self.filter(**{self.organisation_path: actor.organisation_id})

    def unscoped(self, reason: str) -> Self:
        """All rows, for work that serves no single actor. The reason is for the reader and grep."""
        if not reason:
            raise ValueError("unscoped access states its reason")
        return self.all()

    def get_or_refuse(self, **lookup: Any) -> M:
        """The one row, or NotFound in words instead of DoesNotExist."""
        from crm.kit.errors import NotFound

        try:
            return self.get(**lookup)
        except (ObjectDoesNotExist, ValueError):
            raise NotFound from None
