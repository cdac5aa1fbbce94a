"""Mapping files: YAML that says which column of somebody's table is which field. Every finding has
line and column.
"""

from collections.abc import Iterator
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import YamlFile
from alerting.domain.errors import ActionRefused
from alerting.domain.imports.customer_fields import (
    FIELDS,
    FREE,
    contact_of,
    field_named,
    nearest_field,
)
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.services.imports.import_mapping import ColumnRule, ImportMapping, Others

_IGNORE = "ignore"


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ColumnForm(_Form):
    """One column. `factor`: what a number is multiplied by; `currency`: that of its cells;
    `values`: what its texts mean.
    """

    field: str
    decimal: Literal[".", ","] | None = None
    dates: Literal["day first", "month first"] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    factor: Annotated[int | float, Field(gt=0, le=10**9)] | None = None
    values: dict[str, str] | None = None


def _as_form(given: object) -> object:
    """`Firma: name` is short for `Firma: {field: name}`."""
    return {"field": given} if isinstance(given, str) else given


class MappingForm(_Form):
    """The whole file."""

    columns: dict[str, Annotated[ColumnForm, BeforeValidator(_as_form)]] = Field(
        default_factory=dict
    )
    fixed: dict[str, str | int | float | bool] = Field(default_factory=dict)
    others: Others = "match"
    sheet: str | None = None
    heading_row: Annotated[int, Field(ge=1)] | None = None


def read_mapping(path: str) -> ImportMapping:
    """The mapping in a file. Raises ActionRefused with every finding, each with line and column."""
    file = Path(path)
    findings = Findings()
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActionRefused(
            f"{file.name}: is not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from error
    yaml = YamlFile(file.name, text, findings)
    form = yaml.read(MappingForm, findings)
    found = _mapping(yaml, form, findings) if form is not None else None
    if findings.problems or found is None:
        ordered = sorted(findings.problems, key=lambda p: (p.line or 0, p.column or 0))
        raise ActionRefused("\n".join(str(problem) for problem in ordered))
    return found


def _mapping(yaml: YamlFile, form: MappingForm, findings: Findings) -> ImportMapping:
    rules: dict[str, ColumnRule] = {}
    taken: dict[str, str] = {}
    for heading, column in form.columns.items():
        rule = _rule(yaml, heading, column, findings)
        if rule.field is not None and rule.field in taken:
            message = f"{rule.field} is read from {taken[rule.field]!r} already"
            findings.add(
                yaml, ("columns", heading), message, "take one of them out, or write `ignore`"
            )
        if rule.field is not None:
            taken[rule.field] = heading
        rules[heading] = rule
    fixed = dict(_fixed(yaml, form, taken, findings))
    return ImportMapping(
        columns=rules,
        fixed=_nested(fixed),
        others=form.others,
        sheet=form.sheet,
        heading_row=form.heading_row,
    )


def _rule(yaml: YamlFile, heading: str, form: ColumnForm, findings: Findings) -> ColumnRule:
    at: YamlPath = ("columns", heading)
    name = None if form.field == _IGNORE else _field(yaml, (*at, "field"), form.field, findings)
    if form.currency is not None and form.factor is None:
        findings.add(
            yaml,
            (*at, "currency"),
            "says no rate",
            "add `factor:`, what one of it is worth in ours",
        )
    _check_hints(yaml, at, form, name, findings)
    line, column = yaml.position(at)
    return ColumnRule(
        field=name,
        place=f"{yaml.name}:{line}:{column}",
        decimal=form.decimal,
        days=form.dates,
        currency=form.currency,
        rate=Decimal(str(form.factor or 1)),
        values={text.strip().casefold(): meant for text, meant in (form.values or {}).items()},
    )


def _check_hints(
    yaml: YamlFile, at: YamlPath, form: ColumnForm, name: str | None, findings: Findings
) -> None:
    """A hint that cannot matter is a mistake somewhere else."""
    if name == "customer_id" and form.values is not None:
        findings.add(
            yaml, (*at, "values"), "customer_id has no `values`", "ids are taken as they are"
        )
    if name is None or name.startswith(FREE):
        return
    fits = {
        "dates": {"renewal_date"},
        "decimal": {"revenue_with_us", "employees"},
        "factor": {"revenue_with_us", "employees"},
        "currency": {"revenue_with_us"},
    }
    for hint, fields in fits.items():
        if getattr(form, hint) is not None and name not in fields:
            findings.add(
                yaml,
                (*at, hint),
                f"{name} has no `{hint}`",
                f"it is for {' and '.join(sorted(fields))}",
            )


def _field(yaml: YamlFile, at: YamlPath, text: str, findings: Findings) -> str | None:
    found = field_named(text)
    if found is None:
        near = get_close_matches(text, FIELDS, n=1, cutoff=0.6)
        hint = near[0] if near else nearest_field(text)
        known = (
            "known are "
            + ", ".join(FIELDS)
            + ", contact_2_name and so on, attributes.<name>, ignore"
        )
        findings.add(
            yaml, at, f"no field is called {text!r}", f"did you mean {hint!r}?" if hint else known
        )
    return found


def _fixed(
    yaml: YamlFile, form: MappingForm, taken: dict[str, str], findings: Findings
) -> Iterator[tuple[str, object]]:
    for text, value in form.fixed.items():
        at: YamlPath = ("fixed", text)
        name = _field(yaml, at, text, findings)
        if name is None:
            continue
        if name == "customer_id" or contact_of(name):
            findings.add(
                yaml, at, f"{name} cannot be the same for every customer", "give it a column"
            )
        elif name in taken:
            findings.add(
                yaml, at, f"{name} is read from the column {taken[name]!r}", "take one of them out"
            )
        else:
            yield name, value
            _check_value(yaml, at, name, value, findings)


def _check_value(
    yaml: YamlFile, at: YamlPath, name: str, value: object, findings: Findings
) -> None:
    if name.startswith(FREE):
        return
    try:
        CustomerUpdated.model_validate({"customer_id": "x", name: value})
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        findings.add(yaml, at, f"{name}: {message}")


def _nested(fixed: dict[str, object]) -> dict[str, object]:
    """Attributes stand together, as in an event."""
    free = {
        name.removeprefix(FREE): value for name, value in fixed.items() if name.startswith(FREE)
    }
    plain = {name: value for name, value in fixed.items() if not name.startswith(FREE)}
    return plain | ({"attributes": free} if free else {})
