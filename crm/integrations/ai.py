"""The language model of the installation, if there is one: none unless its address is set."""

from django.conf import settings

from crm.integrations.ai_providers.openai_compatible import OpenAICompatible
from crm.integrations.language import LanguageModel


def language_model() -> LanguageModel | None:
    """The model that drafts are asked of; None by default: rules and retrieval do without."""
    if not settings.LANGUAGE_MODEL_URL:
        return None
    return OpenAICompatible(
        settings.LANGUAGE_MODEL_URL, settings.LANGUAGE_MODEL_NAME, settings.LANGUAGE_MODEL_KEY
    )
