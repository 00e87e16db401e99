"""Bulk load of cases from other systems' files: mapping, reading, loading. `run` carries one out."""
