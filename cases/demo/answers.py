"""What is usually answered, and the macros of every day, so that « / » and Ctrl K have something to offer."""

from collections.abc import Mapping
from typing import Any

from cases.models import AnswerVersion, CannedAnswer, CaseTypeVersion, Macro
from cases.workflow import Workflow, of_version
from crm.citizens.identifiers import folded
from crm.kit.demo import Demo
from crm.organisations.models import Organisation

_AUTHOR = "Begoña Ferrer Soler"
_ANSWERS: tuple[tuple[str, str, Mapping[str, str], Mapping[str, Any]], ...] = (
    (
        "acuse",
        "Hemos recibido su escrito",
        {
            "es": "Estimado/a ((citizen)):\n\nHemos recibido su escrito y lo hemos unido al expediente ((reference)), «((subject))». Lo atiende ((unit)).\n\nUn saludo.",
            "ca": "Benvolgut/da ((citizen)):\n\nHem rebut el vostre escrit i l'hem incorporat a l'expedient ((reference)), «((subject))». L'atén ((unit)).\n\nSalutacions.",
            "gl": "Estimado/a ((citizen)):\n\nRecibimos o seu escrito e unímolo ao expediente ((reference)), «((subject))». Aténdeo ((unit)).\n\nUn saúdo.",
            "eu": "((citizen)) agurgarria:\n\nZure idazkia jaso dugu eta ((reference)) espedienteari erantsi diogu («((subject))»). ((unit)) arduratzen da.\n\nAgur bero bat.",
            "fr": "Madame, Monsieur ((citizen)),\n\nNous avons reçu votre courrier et l'avons joint au dossier ((reference)), « ((subject)) ». ((unit)) s'en occupe.\n\nCordialement.",
            "en": "Dear ((citizen)),\n\nWe have received your letter and added it to case ((reference)), “((subject))”. ((unit)) is dealing with it.\n\nKind regards.",
        },
        {},
    ),
    (
        "plazo",
        "Hasta cuándo podemos contestar",
        {
            "es": "Su expediente ((reference)) está en el estado «((state))». El plazo para resolverlo termina el ((due)).",
            "ca": "El vostre expedient ((reference)) està en l'estat «((state))». El termini per resoldre'l acaba el ((due)).",
            "gl": "O seu expediente ((reference)) está no estado «((state))». O prazo para resolvelo remata o ((due)).",
            "eu": "((reference)) espedientea «((state))» egoeran dago. Ebazteko epea ((due)) amaitzen da.",
            "en": "Your case ((reference)) is “((state))”. The time to decide it ends on ((due)).",
        },
        {"states": ["new", "open", "waiting_citizen", "waiting_third_party"]},
    ),
    (
        "falta-documentacion",
        "Falta documentación",
        {
            "es": "Para seguir con «((subject))» nos falta documentación. Puede aportarla en la sede electrónica, con el número ((reference)), o en cualquier oficina de registro. Dispone de diez días hábiles desde que reciba este aviso.",
            "ca": "Per continuar amb «((subject))» ens falta documentació. La podeu aportar a la seu electrònica, amb el número ((reference)), o a qualsevol oficina de registre. Teniu deu dies hàbils des que rebeu aquest avís.",
            "fr": "Pour poursuivre « ((subject)) », il nous manque des documents. Vous pouvez les remettre en ligne, avec le numéro ((reference)), ou dans tout bureau d'enregistrement, dans les dix jours ouvrables.",
        },
        {"states": ["new", "open"]},
    ),
    (
        "cita",
        "Pedir cita previa",
        {
            "es": "Para este asunto le conviene venir con cita previa. Puede pedirla en la sede de ((organisation)), en «Cita previa», o llamando al teléfono de atención. Traiga su documento de identidad y el número ((reference)).",
            "ca": "Per a aquest assumpte us convé venir amb cita prèvia. La podeu demanar a la seu de ((organisation)). Porteu el document d'identitat i el número ((reference)).",
        },
        {},
    ),
    (
        "resuelto",
        "Su expediente está resuelto",
        {
            "es": "Su expediente ((reference)), «((subject))», ha terminado. Resultado: ((outcome)). Recibirá la notificación por el medio que eligió.",
            "ca": "El vostre expedient ((reference)), «((subject))», ha acabat. Resultat: ((outcome)). Rebreu la notificació pel mitjà que vau triar.",
            "en": "Your case ((reference)), “((subject))”, has ended. Outcome: ((outcome)). You will be notified by the way you chose.",
        },
        {"states": ["resolved", "closed"]},
    ),
    (
        "recurso",
        "Cómo recurrir",
        {
            "es": "Contra la resolución puede interponer recurso de alzada en el plazo de un mes desde el día siguiente a su notificación (arts. 121 y 122 de la Ley 39/2015). Cite el expediente ((reference)).",
        },
        {"states": ["resolved", "closed"]},
    ),
    (
        "otro-organismo",
        "Lo lleva otro organismo",
        {
            "es": "Lo que plantea no corresponde a ((organisation)). Le indicamos a quién puede dirigirse; si lo prefiere, trasladamos su escrito y le avisamos.",
        },
        {},
    ),
    (
        "cambio-domicilio",
        "Cambio de domicilio anotado",
        {"es": "Hemos anotado su nuevo domicilio en el expediente ((reference)). No tiene que hacer nada más."},
        {},
    ),
    (
        "llamada",
        "Le hemos llamado",
        {"es": "Le hemos llamado por «((subject))» y no hemos podido hablar con usted. Volveremos a intentarlo mañana; también puede contestar a este mensaje."},
        {"channels": ["phone", "email", "web_form"]},
    ),
    (
        "proteccion-datos",
        "Información sobre sus datos",
        {"es": "((organisation)) trata sus datos para tramitar el expediente ((reference)). Puede ejercer sus derechos de acceso, rectificación, supresión, oposición y limitación en la sede electrónica."},
        {},
    ),
    (
        "gracias",
        "Cierre amable",
        {"es": "Gracias por dirigirse a ((organisation)). Si necesita algo más sobre ((reference)), conteste a este mensaje.", "gl": "Grazas por dirixirse a ((organisation)). Se precisa algo máis sobre ((reference)), conteste a esta mensaxe."},
        {},
    ),
    (
        "informe-pendiente",
        "Esperamos un informe",
        {"es": "Su expediente ((reference)) espera el informe de otra administración. En cuanto llegue seguiremos con la tramitación y le avisaremos."},
        {"states": ["waiting_third_party"]},
    ),
)  # fmt: skip


def fill(demo: Demo, organisation: Organisation) -> None:
    """The organisation has twelve answers and four macros."""
    made = CannedAnswer.objects.bulk_create(
        CannedAnswer(
            organisation=organisation,
            audience="organisation",
            code=code,
            name=name,
            status="published",
            uses=37 - 3 * place,
            last_used_at=demo.now,
            words=folded(" ".join([code, name, *texts.values()])),
            **where,
        )
        for place, (code, name, texts, where) in enumerate(_ANSWERS)
    )
    AnswerVersion.objects.bulk_create(
        AnswerVersion(
            answer=answer,
            number=1,
            status="published",
            texts=dict(texts),
            author_name=_AUTHOR,
            published_at=demo.began,
            published_by_name=_AUTHOR,
        )
        for answer, (_code, _name, texts, _where) in zip(made, _ANSWERS, strict=True)
    )
    by_code = {answer.code: str(answer.uuid) for answer in made}
    macros = [
        Macro(organisation=organisation, audience="organisation", uses=21 - 4 * place, **said)
        for place, said in enumerate(_macros(organisation, by_code))
    ]
    Macro.objects.bulk_create(macros)
    demo.made["canned answers"] += len(made)
    demo.made["macros"] += len(macros)


def _macros(organisation: Organisation, answers: Mapping[str, str]) -> list[dict[str, Any]]:
    receipt = {"act": "answer", "answer": answers["acuse"]}
    found: list[dict[str, Any]] = [
        {
            "name": "Asumir y acusar recibo",
            "states": ["new", "open"],
            "steps": [{"act": "take"}, receipt],
        },
        {
            "name": "Urgente: llamar hoy",
            "states": ["new", "open"],
            "steps": [
                {"act": "priority", "priority": "3"},
                {"act": "task", "title": "Llamar a la persona interesada", "term": "1wd"},
                {"act": "note", "body": "Pasa a urgente: hay que llamar hoy."},
            ],
        },
        {
            "name": "Pedir la documentación que falta",
            "states": ["new", "open"],
            "steps": [
                {"act": "papers", "papers": "Documento de identidad\nJustificante", "term": "10wd"},
                {"act": "note", "body": "Pedida la documentación que falta."},
            ],
        },
    ]
    kind, workflow = _first(organisation)
    move = next((one for one in workflow.moves if workflow.target_of(one).category == 4), None)
    if move is not None:
        found.append(
            {
                "name": f"{move.name} y despedirse",
                "case_types": [kind],
                "states": ["open"],
                "steps": [
                    {"act": "move", "move": move.code},
                    {"act": "answer", "answer": answers["gracias"]},
                ],
            }
        )
    return found


def _first(organisation: Organisation) -> tuple[str, Workflow]:
    """The first of its types."""
    rows = CaseTypeVersion.objects.filter(
        case_type__organisation=organisation, status=CaseTypeVersion.Status.PUBLISHED
    ).select_related("case_type")
    row = rows.order_by("case_type__code")[0]
    return row.case_type.code, of_version(row.bundle)
