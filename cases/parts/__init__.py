"""The further parts of a case type's bundle, one module each: how it is written, checked and read.

All are optional. A part is entered in `cases.workflow.PARTS` with the function that checks it.
"""
