"""Cases, case types, documents and events by API."""

from django.urls import path

from cases.api import catalogue, clocks, feed, merging, views

_CASE = "cases/<uuid:case_id>/"
_ONE_CASE = {
    "": views.OneCase,
    "assign/": views.AssignCase,
    "take/": views.TakeCase,
    "release/": views.ReleaseCase,
    "move/": views.MoveCase,
    "close/": views.CloseCase,
    "reopen/": views.ReopenCase,
    "unit/": views.MoveToUnit,
    "confidentiality/": views.CaseConfidentiality,
    "clock/": clocks.CaseClock,
    "clock/suspend/": clocks.SuspendClock,
    "clock/resume/": clocks.ResumeClock,
    "clock/extend/": clocks.ExtendClock,
    "notes/": views.Notes,
    "messages/": views.Messages,
    "documents/": views.Documents,
    "documents/<uuid:document_id>/withdraw/": views.WithdrawDocument,
    "events/<int:seq>/": feed.OneEvent,
    "links/": views.Links,
    "merge/": merging.MergeIntoCase,
    "split/": merging.SplitCase,
    "links/<uuid:link_id>/": views.OneLink,
    "participants/": views.Participants,
    "participants/<uuid:participant_id>/end/": views.EndParticipant,
}

urlpatterns = [
    path("cases/", views.Cases.as_view()),
    *(path(f"{_CASE}{rest}", view.as_view()) for rest, view in _ONE_CASE.items()),
    path("case-merges/<uuid:merge_id>/", merging.OneCaseMerge.as_view()),
    path("case-merges/<uuid:merge_id>/undo/", merging.UndoCaseMerge.as_view()),
    path("case-types/", catalogue.CaseTypes.as_view()),
    path("case-types/<uuid:type_id>/", catalogue.OneCaseType.as_view()),
    path("documents/", catalogue.Documents.as_view()),
    path("documents/<uuid:document_id>/", catalogue.OneDocument.as_view()),
    path("documents/<uuid:document_id>/content/", catalogue.DocumentContent.as_view()),
    path("events/", feed.Events.as_view()),
]
