"""rules/tests/*.yaml become rule tests, or findings with file, line and column."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pydantic import ValidationError

from alerting.adapters.files.drop_misfits import Path
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import YamlFile
from alerting.adapters.rulebook.forms.rule_test_forms import (
    ExpectForm,
    RuleTestForm,
    RuleTestsForm,
    TimelineForm,
)
from alerting.adapters.rulebook.forms.values import LONGEST
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.intake.payloads import PAYLOADS, CustomerUpdated, Payload
from alerting.domain.rulebook.rule_tests import (
    Arrival,
    Expected,
    Place,
    Response,
    RuleTest,
    default_begin,
    format_offset,
    minute_of,
)

PREFIX = "rules/tests/"


@dataclass(frozen=True, kw_only=True)
class KnownNames:
    """What a test may refer to. None: nobody can tell, for the file that says it cannot be read."""

    rules: Collection[str] | None
    roles: Collection[str] | None
    people: Collection[str] | None

    @property
    def recipients(self) -> Collection[str] | None:
        if self.roles is None or self.people is None:
            return None
        return {*self.roles, *self.people}


def read_rule_tests(
    files: Mapping[str, str], known: KnownNames, go_live: datetime, findings: Findings
) -> list[RuleTest]:
    """Every test of every file, in their order; those of a file with a wrong form are left out, and
    findings say why.
    """
    tests = []
    for name in sorted(n for n in files if n.startswith(PREFIX) and n.endswith((".yaml", ".yml"))):
        file = YamlFile(name, files[name], findings)
        form = file.read(RuleTestsForm, findings)
        reader = _Reader(file=file, known=known, templates=_templates(files), findings=findings)
        reader.check_names()
        for number, test in enumerate(form.tests if form else ()):
            tests.append(reader.built(("tests", number), test, go_live))
    return tests


def _templates(files: Mapping[str, str]) -> Collection[str] | None:
    """The mails there are; None without any, which is somebody else's finding."""
    prefix, ending = "templates/mail/en/", ".subject.txt"
    return {
        n[len(prefix) : -len(ending)] for n in files if n.startswith(prefix) and n.endswith(ending)
    } or None


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """One file. Names are checked as they are written, also where the form does not fit: all
    findings come at once.
    """

    file: YamlFile
    known: KnownNames
    templates: Collection[str] | None
    findings: Findings

    def check_names(self) -> None:
        seen: set[str] = set()
        for at, test in self._items(("tests",)):
            name = test.get("name")
            if isinstance(name, str) and name in seen:
                self.findings.add(
                    self.file,
                    (*at, "name"),
                    f"the test {name!r} stands here twice",
                    "rename one of them",
                )
            seen.add(str(name))
            self._check_test(at)

    def _check_test(self, at: Path) -> None:
        for path, customer in self._items((*at, "customers")):
            self._check_payload(path, CustomerUpdated, customer)
        events = [
            ((*path, "event"), item["event"])
            for path, item in self._items((*at, "timeline"))
            if "event" in item
        ]
        for path, event in events:
            self._check_event(path, event)
        given = [customer for _, customer in self._items((*at, "customers"))]
        given += [event for _, event in events if isinstance(event, dict)]
        customers = {str(one["customer_id"]) for one in given if one.get("customer_id") is not None}
        for path, item in self._items((*at, "timeline")):
            self._check(path, "role or person", ("by", "to"), item, self.known.recipients)
            self._check(path, "customer of this test", ("customer",), item, customers)
            if item.get("does") and len(customers) > 1 and "customer" not in item:
                self.findings.add(
                    self.file,
                    path,
                    "this test has several customers",
                    "say whose case: add `customer:`",
                )
        for path, item in self._items((*at, "expect")):
            self._check(path, "rule", ("alert", "rule"), item, self.known.rules)
            self._check(path, "mail template", ("mail", "template"), item, self.templates)
            self._check(path, "role or person", ("to",), item, self.known.recipients)
            self._check(path, "customer of this test", ("customer",), item, customers)

    def _items(self, path: Path) -> Iterator[tuple[Path, dict[str, object]]]:
        found = self.file.at(path)
        items = enumerate(found if isinstance(found, list) else ())
        return (((*path, number), item) for number, item in items if isinstance(item, dict))

    def _check(
        self,
        path: Path,
        kind: str,
        keys: Collection[str],
        item: Mapping[str, object],
        known: Collection[str] | None,
    ) -> None:
        for key in keys:
            self.findings.check_name(self.file, (*path, key), kind, item.get(key), known)

    def _check_event(self, path: Path, event: object) -> None:
        if not isinstance(event, dict):
            return
        kind = event.get("type")
        if not isinstance(kind, str):
            message = "'type' is missing" if kind is None else "'type' is no text"
            self.findings.add(
                self.file, path, message, "write `type: survey.answered`, or another one"
            )
        self.findings.check_name(self.file, (*path, "type"), "event type", kind, PAYLOADS)
        payload = PAYLOADS.get(str(kind))
        if payload is not None:
            self._check_payload(
                path, payload, {name: value for name, value in event.items() if name != "type"}
            )

    def _check_payload(
        self, path: Path, payload: type[Payload], given: Mapping[str, object]
    ) -> None:
        """A live event may say more than we read; in a test that is a slip of the pen."""
        for key in given:
            self.findings.check_name(self.file, (*path, key), "field", key, payload.model_fields)
        try:
            payload.model_validate(_json_object(given))
        except ValidationError as error:
            self.file.note(error, path, payload, self.findings)

    def built(self, at: Path, form: RuleTestForm, go_live: datetime) -> RuleTest:
        begin = form.begin or default_begin(go_live)
        numbered = [
            self._happening((*at, "timeline", number), item, begin)
            for number, item in enumerate(form.timeline)
        ]
        expect = [
            self._expected((*at, "expect", number), item, begin)
            for number, item in enumerate(form.expect)
        ]
        test = RuleTest(
            name=form.name,
            place=self._place(at),
            begin=begin,
            customers=[_json_object(customer) for customer in form.customers],
            timeline=sorted(numbered, key=lambda item: item.at),
            until=form.until,
            expect=expect,
            only=form.only,
        )
        self._check_end(at, test)
        return test

    def _check_end(self, at: Path, test: RuleTest) -> None:
        """What is expected after the clocks stand still could never come."""
        for number, expected in enumerate(test.expect):
            if expected.at is not None and minute_of(expected.at) > minute_of(test.end):
                message = f"the test ends before that, at {format_offset(test.end)}"
                hint = f"add `until: {format_offset(expected.at)}`"
                self.findings.add(self.file, (*at, "expect", number, "at"), message, hint)

    def _happening(self, path: Path, form: TimelineForm, begin: datetime) -> Arrival | Response:
        at, place = self._offset((*path, "at"), form.at, begin), self._place(path)
        if form.event is not None:
            data = {name: value for name, value in form.event.items() if name != "type"}
            return Arrival(
                at=at, type=str(form.event.get("type")), data=_json_object(data), place=place
            )
        assert form.does is not None and form.by is not None, "the form demands both"
        return Response(
            at=at,
            does=form.does,
            by=form.by,
            to=form.to,
            outcome=form.outcome or "reached",
            note=form.note or "noted by a rule test",
            waiting_for=form.waiting_for or WaitingFor.CUSTOMER,
            customer=form.customer,
            place=place,
        )

    def _expected(self, path: Path, form: ExpectForm, begin: datetime) -> Expected:
        return Expected(
            kind=form.kind,
            never=form.none is not None,
            what=form.what,
            to=form.to,
            customer=form.customer,
            at=None if form.at is None else self._offset((*path, "at"), form.at, begin),
            place=self._place(path),
        )

    def _offset(self, path: Path, moment: timedelta | datetime, begin: datetime) -> timedelta:
        offset = moment - begin if isinstance(moment, datetime) else moment
        if offset < timedelta(0):
            message = f"lies before the test begins, {begin.isoformat()}"
            self.findings.add(self.file, path, message, "move it, or set `begin:`")
        elif offset > LONGEST:
            self.findings.add(
                self.file, path, f"lies more than ten years after the begin, {begin.isoformat()}"
            )
        return offset

    def _place(self, path: Path) -> Place:
        return Place(file=self.file.name, line=self.file.position(path)[0])


def _json_object(given: Mapping[str, object]) -> dict[str, object]:
    return {str(key): _json(item) for key, item in given.items()}


def _json(value: object) -> object:
    """As an event would carry it: YAML reads 2026-05-31 as a day, and has numbers of its own."""
    if isinstance(value, Mapping):
        return _json_object(value)
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, float) else value
