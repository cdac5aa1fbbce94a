"""What customers are worth and how they do: rules/segments.yaml becomes segments and tags."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import YamlFile
from alerting.adapters.rulebook.checks.condition_checks import check_conditions
from alerting.adapters.rulebook.forms.customer_forms import SegmentForm, SegmentsForm
from alerting.adapters.rulebook.rule_sources import Sources
from alerting.domain.conditions import Condition
from alerting.domain.customers.segments import Segment
from alerting.domain.customers.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class ReadSegments:
    """Segments and tags as far as they could be read. `ids` and `tag_names` are those that are
    written; None where nobody can tell.
    """

    segments: Mapping[str, Segment]
    tags: Mapping[str, Condition]
    ids: Collection[str] | None
    tag_names: Collection[str] | None


def read_segments(sources: Sources, vocabulary: Vocabulary) -> ReadSegments:
    """rules/segments.yaml, and the lists of customers beside it."""
    file = sources.open_file("rules/segments.yaml")
    if file is None:
        return ReadSegments(segments={}, tags={}, ids=None, tag_names=None)
    form = file.read(SegmentsForm, sources.findings)
    ids = file.names("segments", "id")
    tag_names = file.names("tags") or (() if file.at(("tags",)) is None else None)
    reader = _SegmentReader(sources=sources, file=file, vocabulary=vocabulary)
    whens, members = reader.written()
    tags = reader.tags(form.tags if form else {})
    forms = form.segments if form else []
    segments: dict[str, Segment] = {}
    for place, segment in (file.formed(("segments",), forms) if form else {}).items():
        reader.check_place(place, segment, segments, is_last=segment is forms[-1])
        segments[segment.id] = Segment(
            id=segment.id,
            rank=segment.rank,
            title=segment.title or segment.id.replace("_", " "),
            members=members[place],
            listed_in=segment.members,
            when=whens[place],
            otherwise=bool(segment.otherwise),
        )
    return ReadSegments(segments=segments, tags=tags, ids=ids, tag_names=tag_names)


@dataclass(frozen=True, kw_only=True)
class _SegmentReader:
    """Reads what segments and tags are made of, by the names their conditions may use."""

    sources: Sources
    file: YamlFile
    vocabulary: Vocabulary

    def written(self) -> tuple[dict[int, Condition | None], dict[int, frozenset[str] | None]]:
        """Each segment's condition and members by its place in the file, from 0."""
        whens, members = {}, {}
        for at, given in self.file.items("segments"):
            place = int(at[-1])
            whens[place] = self._condition((*at, "when"), given.get("when"))
            members[place] = self._members((*at, "members"), given.get("members"))
        return whens, members

    def tags(self, written: Mapping[str, str]) -> dict[str, Condition]:
        """The conditions of tags that compile."""
        scope = self.vocabulary.for_segments()
        found = {}
        for name, sql in written.items():
            condition = self.sources.condition(self.file, ("tags", name), sql, scope)
            if condition is not None:
                found[name] = condition
                check_conditions(self.file, [("tags", name)], scope, self.sources.findings)
        return found

    def check_place(
        self, place: int, segment: SegmentForm, before: Collection[str], *, is_last: bool
    ) -> None:
        """Each segment has a name of its own, and can be reached."""
        findings = self.sources.findings
        if segment.id in before:
            message = f"the segment {segment.id!r} stands here twice"
            findings.add(self.file, ("segments", place, "id"), message, "rename one of them")
        if segment.otherwise and not is_last:
            message = "what stands after 'otherwise' is never reached"
            findings.add(self.file, ("segments", place, "otherwise"), message, "put it last")

    def _condition(self, path: YamlPath, sql: object) -> Condition | None:
        scope = self.vocabulary.for_segments()
        found = self.sources.condition(self.file, path, sql, scope)
        if found is not None and scope.complete:
            check_conditions(self.file, [path], scope, self.sources.findings)
        return found

    def _members(self, path: YamlPath, name: object) -> frozenset[str] | None:
        """The customer ids in the first column of a CSV file beside segments.yaml."""
        if not isinstance(name, str):
            return None
        return frozenset(self.sources.column(self.file, path, name, heading="customer_id"))
