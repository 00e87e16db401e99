"""What the first level says, in the language of the conversation."""

from django.utils.translation import gettext as _

from channels_app.bots.answers import Outcome, Reply, Why


def introduction(organisation: str) -> str:
    """The first words: that nobody human speaks, what it can do, and how to get a person."""
    return _(
        "I am an automatic assistant of %(organisation)s, not a person. I answer only from its published"
        " pages. You can ask for a person whenever you want."
    ) % {"organisation": organisation}


def of(reply: Reply, *, attended: bool) -> str:
    """The words for a reply; of an answer, the sentences of the article, which are linked beneath."""
    if reply.outcome == Outcome.ANSWERED and reply.found is not None:
        return f"{reply.found.excerpt}\n\n{offer()}"
    if reply.outcome == Outcome.URGENT:
        return "\n\n".join([danger(), handing_over(attended=attended)])
    if reply.outcome == Outcome.PERSON:
        return handing_over(attended=attended)
    said = {
        Why.GREETING: _("Hello. Tell me in one sentence what you need to know."),
        Why.OWN_CASE: _(
            "I cannot see your case, so I cannot tell you about it. You can follow it on the public pages"
            " with its number, or ask a person here."
        ),
    }.get(
        reply.why or Why.NOTHING_FOUND,
        _("I do not know: none of our published pages answers that surely."),
    )
    return "\n\n".join([said, handing_over(attended=attended) if reply.hand_over else again()])


def danger() -> str:
    """Whom to call, before anything else."""
    return _(
        "If you or somebody else is in danger, call 112 now. Against gender violence: 016. If you think of"
        " suicide: 024. The three are free and attend day and night."
    )


def handing_over(*, attended: bool) -> str:
    """That a person comes next, who has read everything."""
    if attended:
        return _("I hand you over to a person. They can read what we have said.")
    return _(
        "I hand you over to a person. Nobody attends the chat at this hour: you may have to wait until it"
        " opens, or end the chat and leave a message."
    )


def offer() -> str:
    """How to go on after an answer."""
    return _("If this is not what you asked, say it in other words or ask for a person.")


def again() -> str:
    """How to go on without one."""
    return _("Say it in other words, or ask for a person.")


def name() -> str:
    """Who speaks."""
    return _("Automatic assistant")
