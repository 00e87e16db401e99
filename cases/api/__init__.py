"""Cases, case types, documents and events by API."""

from django.urls import path

from cases.api import (
    answers,
    bulk,
    catalogue,
    clocks,
    distribution,
    feed,
    letters,
    merging,
    saved,
    studio,
    targets,
    tasks,
    transfers,
    views,
)

_CASE = "cases/<uuid:case_id>/"
_ONE_CASE = {
    "": views.OneCase,
    "assign/": views.AssignCase,
    "take/": views.TakeCase,
    "release/": views.ReleaseCase,
    "deal/": distribution.DealCase,
    "move/": views.MoveCase,
    "close/": views.CloseCase,
    "reopen/": views.ReopenCase,
    "unit/": views.MoveToUnit,
    "confidentiality/": views.CaseConfidentiality,
    "clock/": clocks.CaseClock,
    "information-letter/": letters.SendLetter,
    "paper-requests/": letters.Papers,
    "paper-requests/end/": letters.EndPapers,
    "targets/": targets.CaseTargets,
    "clock/suspend/": clocks.SuspendClock,
    "clock/resume/": clocks.ResumeClock,
    "clock/extend/": clocks.ExtendClock,
    "tasks/": tasks.CaseTasks,
    "papers/": tasks.CasePapers,
    "papers/<uuid:paper_id>/": tasks.TickPaper,
    "custody/": transfers.Custody,
    "transfer/": transfers.OfferTransfer,
    "consult/": transfers.AskArea,
    "notes/": views.Notes,
    "messages/": views.Messages,
    "canned-answers/": answers.CaseAnswers,
    "macros/<uuid:macro_id>/try/": answers.TryMacro,
    "macros/<uuid:macro_id>/run/": answers.RunMacro,
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

_TASK = "tasks/<uuid:task_id>/"
_ONE_TASK = {
    "": tasks.OneTask,
    "take/": tasks.TakeTask,
    "done/": tasks.FinishTask,
    "reopen/": tasks.ReopenTask,
    "cancel/": tasks.CancelTask,
    "approve/": tasks.ApproveTask,
    "reject/": tasks.RejectTask,
}
_TYPE = "case-types/<uuid:type_id>/"
_ONE_TYPE = {
    "draft/": studio.CaseTypeDraft,
    "draft/publish/": studio.PublishDraft,
    "retire/": studio.RetireCaseType,
    "versions/": studio.CaseTypeVersions,
    "text/": studio.CaseTypeText,
    "differences/": studio.CaseTypeDifferences,
    "migrations/": studio.Migrations,
    "migrations/try/": studio.TryMigration,
    "migrations/<uuid:migration_id>/": studio.OneMigration,
}
_ONE_TRANSFER = {
    "": transfers.OneTransfer,
    "accept/": transfers.AcceptTransfer,
    "return/": transfers.ReturnTransfer,
    "refuse/": transfers.RefuseTransfer,
    "withdraw/": transfers.WithdrawTransfer,
}
_ONE_CONSULTATION = {
    "": transfers.OneConsultation,
    "answer/": transfers.AnswerConsultation,
    "decline/": transfers.DeclineConsultation,
    "ask-back/": transfers.AskBack,
    "clarify/": transfers.Clarify,
    "extend/": transfers.ExtendConsultation,
    "withdraw/": transfers.WithdrawConsultation,
}

urlpatterns = [
    path("tasks/", tasks.Tasks.as_view()),
    *(path(f"{_TASK}{rest}", view.as_view()) for rest, view in _ONE_TASK.items()),
    path("cases/", views.Cases.as_view()),
    *(path(f"{_CASE}{rest}", view.as_view()) for rest, view in _ONE_CASE.items()),
    path("absences/", distribution.Absences.as_view()),
    path("absences/<uuid:absence_id>/", distribution.OneAbsence.as_view()),
    path("transfers/", transfers.Transfers.as_view()),
    *(
        path(f"transfers/<uuid:transfer_id>/{rest}", view.as_view())
        for rest, view in _ONE_TRANSFER.items()
    ),
    path("consultations/", transfers.Consultations.as_view()),
    *(
        path(f"consultations/<uuid:consultation_id>/{rest}", view.as_view())
        for rest, view in _ONE_CONSULTATION.items()
    ),
    path("canned-answers/", answers.CannedAnswers.as_view()),
    path("macros/", answers.Macros.as_view()),
    path("views/", saved.Views.as_view()),
    path("views/<uuid:view_id>/", saved.OneView.as_view()),
    path("views/<uuid:view_id>/count/", saved.ViewCount.as_view()),
    path("bulk-actions/", bulk.Bulks.as_view()),
    path("bulk-actions/<uuid:bulk_id>/", bulk.OneBulk.as_view()),
    path("bulk-actions/<uuid:bulk_id>/start/", bulk.StartBulk.as_view()),
    path("bulk-actions/<uuid:bulk_id>/cancel/", bulk.CancelBulk.as_view()),
    path("bulk-actions/<uuid:bulk_id>/undo/", bulk.UndoBulk.as_view()),
    path("bulk-actions/<uuid:bulk_id>/refusals/", bulk.Refusals.as_view()),
    path("case-merges/<uuid:merge_id>/", merging.OneCaseMerge.as_view()),
    path("case-merges/<uuid:merge_id>/undo/", merging.UndoCaseMerge.as_view()),
    path("case-types/", catalogue.CaseTypes.as_view()),
    path("case-types/import/", studio.ImportCaseType.as_view()),
    path("case-types/<uuid:type_id>/", catalogue.OneCaseType.as_view()),
    *(path(f"{_TYPE}{rest}", view.as_view()) for rest, view in _ONE_TYPE.items()),
    path("documents/", catalogue.Documents.as_view()),
    path("documents/<uuid:document_id>/", catalogue.OneDocument.as_view()),
    path("documents/<uuid:document_id>/content/", catalogue.DocumentContent.as_view()),
    path("events/", feed.Events.as_view()),
]
