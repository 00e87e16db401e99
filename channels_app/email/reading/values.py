"""What a letter is once it has been read, and how much of one is read at all."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crm.kit.mail import bears_mark

MOST_BYTES = 40 * 1024 * 1024  # of a whole message: base64 makes a third more of its files
MOST_PARTS = 100
MOST_DEPTH = 10
MOST_TEXT = 500_000  # characters of a letter's text, quotes included
MOST_HTML = 1_000_000
MOST_HEADER = 20_000
MOST_REFERENCES = 50
MOST_FILES = 50


class Kind(StrEnum):
    """What sort of message it is, which decides what becomes of it."""

    MESSAGE = "message"  # a person wrote it
    AUTO_REPLY = "auto_reply"  # a machine answered: absence, receipt, read confirmation
    BOUNCE = "bounce"  # a mail server says that it could not deliver
    COMPLAINT = "complaint"  # somebody pressed « spam » at their provider
    LOOP = "loop"  # it has gone round, through us or between servers
    OWN = "own"  # we wrote it ourselves


@dataclass(frozen=True, slots=True)
class Sender:
    """Who says that they wrote; nothing of it is proven."""

    name: str = ""
    address: str = ""  # lower case; empty when there is none that can be written to


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the text: said by the writer, quoted from before, or a signature."""

    kind: str  # said, quoted, signature
    text: str


@dataclass(frozen=True, slots=True)
class File:
    """A file as it came; its name and type are only what the sender claims."""

    name: str
    claimed: str
    content: bytes = field(repr=False)
    content_id: str = ""  # by which the HTML calls it


@dataclass(frozen=True, slots=True)
class Refused:
    """A part that is not read: its name, and why as a code."""

    name: str
    why: str  # too_many, too_deep, too_large, unreadable


@dataclass(frozen=True, slots=True)
class Report:
    """What a server says of a message of ours."""

    recipient: str = ""
    action: str = ""  # failed, delayed, delivered, relayed, expanded; complaint
    status: str = ""  # 5.1.1
    diagnostic: str = ""
    original_id: str = ""  # the Message-ID it is about
    mark: str = ""  # what stands in our field of the mail that it quotes

    @property
    def proven(self) -> bool:
        """Whether it comes from who has had the mail itself, and not only its Message-ID."""
        return bears_mark(self.original_id, self.mark)

    @property
    def failed(self) -> bool:
        """Whether it will not arrive any more."""
        return self.action == "failed"

    @property
    def lasting(self) -> bool:
        """Whether writing there again is no use: the address itself is wrong, not the day."""
        return self.failed and self.status.startswith("5")

    @property
    def no_such_mailbox(self) -> bool:
        """Whether the mailbox does not exist (RFC 3463 X.1.X), and not that it dislikes the message."""
        return self.lasting and self.status.startswith(("5.1.", "5.2.1", "5.0.0"))


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A message, read."""

    kind: Kind
    digest: str  # SHA-256 of the raw bytes
    size: int
    message_id: str = ""
    references: tuple[str, ...] = ()  # nearest last
    sender: Sender = Sender()
    reply_to: str = ""
    recipients: tuple[str, ...] = ()  # to, cc and by whom it was delivered
    subject: str = ""
    sent_at: datetime | None = None
    blocks: tuple[Block, ...] = ()
    html: str = ""
    files: tuple[File, ...] = ()
    refused: tuple[Refused, ...] = ()
    report: Report | None = None
    bulk: bool = False  # of a list or a mailing
    answerable: bool = True  # an automatic receipt may be sent
    authentication: str = ""  # what our own mail server found out about the sender
    language: str = ""

    @property
    def text(self) -> str:
        """What was said: without quotes and signature, unless there is nothing else."""
        said = "\n\n".join(block.text for block in self.blocks if block.kind == "said").strip()
        return said or "\n\n".join(block.text for block in self.blocks).strip()

    @property
    def folded(self) -> bool:
        """Whether there is more than was said."""
        return any(block.kind != "said" for block in self.blocks)
