"""Vendors of language models, each behind `LanguageModel`."""
