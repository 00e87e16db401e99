"""Forms whose rules are a service's: they parse what is typed and show what the service refused."""

from collections.abc import Mapping
from typing import ClassVar

from django import forms

from crm.kit.errors import DomainError, Invalid


class ServiceForm(forms.Form):
    """A form that shows at its fields what a service refused."""

    places: ClassVar[Mapping[str, str]] = {}
    """Where the service's errors belong when the field is called otherwise here."""

    def refused(self, error: DomainError) -> None:
        """Show the error at its fields, and what has none above the form."""
        errors = error.errors if isinstance(error, Invalid) else {}
        for name, messages in (errors or {"": [error.message]}).items():
            field = self.places.get(name, name)
            for message in messages:
                self.add_error(field if field in self.fields else None, str(message))


class DateInput(forms.DateInput):
    """A date by the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")
