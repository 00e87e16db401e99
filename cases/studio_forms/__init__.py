"""What a designer of case types fills in: one form for each kind of thing of a bundle.

A form says what it knows of a thing and leaves the rest of it as it was, so that what was imported as
text is not lost by whoever corrects a name.
"""

from collections.abc import Mapping

from cases.studio_forms.base import ItemForm
from cases.studio_forms.further import PaperForm, ResultForm, RoleForm, TaskForm
from cases.studio_forms.messages import MessageForm
from cases.studio_forms.questions import FieldForm, SectionForm
from cases.studio_forms.service import ServiceTargetForm
from cases.studio_forms.workflow import StateForm, StepForm

FORMS: Mapping[str, type[ItemForm]] = {
    "campos": FieldForm,
    "secciones": SectionForm,
    "estados": StateForm,
    "pasos": StepForm,
    "intervinientes": RoleForm,
    "resultados": ResultForm,
    "documentos": PaperForm,
    "tareas": TaskForm,
    "mensajes": MessageForm,
    "compromisos": ServiceTargetForm,
}
"""The form of each kind of thing, by the slug of its list."""
