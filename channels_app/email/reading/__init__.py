"""Reads a raw message into a value, whatever its bytes: pure, bounded, and it never raises.

`read` is the one way in. What comes out is text and files as strangers sent them: files are judged
by crm.kit.files, HTML is shown only by way of `markup.sanitised`.
"""

from channels_app.email.reading.letter import read
from channels_app.email.reading.values import Block, File, Kind, Letter, Refused, Report, Sender

__all__ = ["Block", "File", "Kind", "Letter", "Refused", "Report", "Sender", "read"]
