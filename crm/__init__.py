"""The house. FILES here are the roof and may import everything; FOLDERS are the floors below.

kit (0) · audit (1) · organisations (2) · accounts (3) · citizens (5), then the apps beside this
package: cases (6), reporting (9). Imports go down only; import-linter holds it.
"""

from crm.celery import app as celery_app

__all__ = ["celery_app"]
