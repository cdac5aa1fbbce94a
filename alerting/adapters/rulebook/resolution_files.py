"""rules/resolutions.yaml: what a case may end with, and what is asked afterwards."""

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import Field

from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import YamlFile
from alerting.adapters.rulebook.forms.values import Form, Identifier, Length, Worded
from alerting.domain.cases.resolutions import CheckSurvey, EffectReview, Message, Resolutions
from alerting.domain.rulebook.rulebook import Survey

RESOLUTIONS = "rules/resolutions.yaml"


class ReviewForm(Form):
    after: Length
    by: str = "fixer"


class MessageForm(Form):
    subject: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(min_length=1, max_length=5000)]


class CheckSurveyForm(Form):
    survey: str
    after: Length
    mail: Annotated[dict[str, MessageForm], Field(min_length=1)]


class ResolutionsForm(Form):
    required: bool = True
    root_causes: dict[Identifier, Worded] = Field(default_factory=dict)
    actions: dict[Identifier, Worded] = Field(default_factory=dict)
    corrective_actions: dict[Annotated[str, Field(min_length=1, max_length=60)], Worded] = Field(
        default_factory=dict
    )
    reopen_within: Length | None = None
    effectiveness_review: ReviewForm | None = None
    check_survey: CheckSurveyForm | None = None


def read_resolutions(
    file: YamlFile | None,
    findings: Findings,
    roles: Collection[str] | None,
    surveys: Mapping[str, Survey],
) -> Resolutions:
    """The lists and what follows; nothing of it where there is no such file."""
    form = file.read(ResolutionsForm, findings) if file is not None else None
    if file is None or form is None:
        return Resolutions()
    review, check = form.effectiveness_review, form.check_survey
    if review is not None and roles is not None:
        findings.check_name(
            file, ("effectiveness_review", "by"), "role", review.by, {"caller", "fixer", *roles}
        )
    if check is not None:
        findings.check_name(file, ("check_survey", "survey"), "survey", check.survey, surveys)
    return Resolutions(
        required=form.required,
        root_causes=form.root_causes,
        actions=form.actions,
        corrective_actions=form.corrective_actions,
        reopen_within=form.reopen_within,
        review=EffectReview(after=review.after, by=review.by) if review is not None else None,
        check_survey=CheckSurvey(
            survey=check.survey,
            after=check.after,
            mail={
                name: Message(subject=one.subject, text=one.text)
                for name, one in check.mail.items()
            },
        )
        if check is not None
        else None,
    )
