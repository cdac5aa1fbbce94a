"""/f/{survey}: the hosted survey form."""

import hashlib
import json
import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel

from alerting.domain.errors import ActionRefused, Temporary, UnreadableEvent
from alerting.domain.intake.events import parse_event
from alerting.domain.rulebook.rulebook import Survey
from alerting.entrypoints.web.parts import WebParts
from alerting.services.intake.accept_events import accept, record_of
from alerting.services.intake.event_log import NewRecord

MAX_COMMENT = 5_000


class AnswerForm(BaseModel):
    """What a browser sends; what was left empty, or not sent at all, is an empty text. `i` is the
    invitation, `nonce` a word that was made for this form.
    """

    score: str = ""
    comment: str = ""
    contact_me: str = ""
    email: str = ""
    nonce: str = ""
    i: str = ""

    def tidied(self) -> "AnswerForm":
        """Without spaces around, and not longer than a comment may be."""
        comment = self.comment.strip()[:MAX_COMMENT]
        return self.model_copy(update={"comment": comment, "email": self.email.strip()})


def routes(parts: WebParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/f/{survey_id}", response_class=HTMLResponse)
    def show(survey_id: str, i: str = "") -> Response:
        survey = _survey(parts, survey_id)
        if survey is None:
            return _no_survey(parts)
        try:
            if i:
                parts.read_invitation(i, survey_id)
        except ActionRefused as error:
            return _no_invitation(parts, error)
        return _form(parts, 200, survey, AnswerForm(nonce=secrets.token_urlsafe(12), i=i))

    @router.post("/f/{survey_id}", response_class=HTMLResponse)
    def answer(survey_id: str, given: Annotated[AnswerForm, Form()]) -> Response:
        survey = _survey(parts, survey_id)
        if survey is None:
            return _no_survey(parts)
        return _take(parts, survey, given.tidied())

    @router.get("/f/{survey_id}/thanks", response_class=HTMLResponse)
    def thanks(survey_id: str) -> Response:
        survey = _survey(parts, survey_id)
        text = survey.thanks if survey else "We have your answer."
        return _page(parts, 200, "message.html", title="Thank you", text=text)

    return router


def _take(parts: WebParts, survey: Survey, given: AnswerForm) -> Response:
    """Check an answer and put it into the event log; what cannot be taken comes back with the words
    still in it.
    """
    error = _check(survey, given)
    if error:
        return _form(parts, 422, survey, given, error)
    try:
        accept(parts.event_log, [_record(parts, survey, given)])
    except ActionRefused as refused:
        return _no_invitation(parts, refused)
    except UnreadableEvent as unreadable:
        return _form(parts, 422, survey, given, unreadable.detail)
    except Temporary:
        message = (
            "We could not take your answer just now. It is still here: please send it again "
            "in a minute."
        )
        return _form(parts, 503, survey, given, message)
    return RedirectResponse(f"/f/{survey.id}/thanks", status_code=303)


def _no_survey(parts: WebParts) -> Response:
    return _page(
        parts,
        404,
        "message.html",
        title="There is no such survey",
        text="Please check the address.",
    )


def _no_invitation(parts: WebParts, error: ActionRefused) -> Response:
    return _page(parts, 400, "message.html", title="This link does not work", text=str(error))


def _survey(parts: WebParts, survey_id: str) -> Survey | None:
    with parts.ctx.db.read() as tx:
        return parts.ctx.shelf.active(tx).surveys.get(survey_id)


def _check(survey: Survey, given: AnswerForm) -> str | None:
    if not re.fullmatch("[0-9]{1,4}", given.score) or int(given.score) not in survey.scores:
        return "Please choose a number."
    if not given.i and ("@" not in given.email or len(given.email) > 254):
        return "Please tell us your e-mail address, so that we know who is asking."
    return None


def _record(parts: WebParts, survey: Survey, given: AnswerForm) -> NewRecord:
    """The answer as an event. Its id comes from the form's nonce and the content: a second click
    changes nothing.
    """
    data: dict[str, object] = {
        "survey_id": survey.id,
        "metric": survey.metric,
        "score": int(given.score),
        "comment": given.comment,
        "language": survey.language,
        "contact_me": bool(given.contact_me),
    }
    if survey.scale is not None:
        data["scale"] = survey.scale
    if given.i:
        customer_id, contact = parts.read_invitation(given.i, survey.id)
        data["customer_id"] = customer_id
        if contact:
            data["respondent"] = {"name": contact}
    else:
        data["respondent"] = {"email": given.email}
    content = json.dumps([given.nonce, data], sort_keys=True)
    with parts.ctx.db.read() as tx:
        now = tx.now()
    envelope = {
        "specversion": "1.0",
        "type": "survey.answered",
        "source": f"/f/{survey.id}",
        "id": hashlib.sha256(content.encode()).hexdigest()[:32],
        "data": data,
    }
    return record_of(parse_event(json.dumps(envelope, ensure_ascii=False).encode(), {}, now))


def _form(
    parts: WebParts, status: int, survey: Survey, given: AnswerForm, error: str | None = None
) -> Response:
    return _page(parts, status, "survey.html", survey=survey, given=given, error=error)


def _page(parts: WebParts, status: int, template: str, **facts: object) -> HTMLResponse:
    headers = {"retry-after": "30"} if status == 503 else {}
    return HTMLResponse(parts.render(template, facts), status_code=status, headers=headers)
