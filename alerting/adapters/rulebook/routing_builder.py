"""Who is responsible: rules/routing.yaml becomes Routing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import YamlFile, texts
from alerting.adapters.rulebook.forms.promise_forms import RoutingForm
from alerting.adapters.rulebook.rule_sources import NamedPeople, Sources
from alerting.domain.people.places import folded
from alerting.domain.routing.routing import Role, Routing, Territory, roles_behind


@dataclass(frozen=True, kw_only=True)
class ReadRouting:
    """Routing as far as it could be read, and the roles that are named; None where nobody can
    tell.
    """

    routing: Routing
    roles: Collection[str] | None


def read_routing(
    sources: Sources, people: NamedPeople, segments: Collection[str] | None
) -> ReadRouting:
    """rules/routing.yaml. `segments` are those that may be named; None where nobody can tell."""
    file = sources.open_file("rules/routing.yaml")
    if file is None:
        return ReadRouting(routing=Routing(roles={}), roles=None)
    form = file.read(RoutingForm, sources.findings)
    roles = file.names("roles")
    _check_names(sources, people, file, roles)
    if form is None:
        return ReadRouting(routing=Routing(roles={}), roles=roles)
    _check_roles(sources, file, form.roles)
    _check_default(sources, people, file, form.roles)
    _check_territories(sources, file, file.formed(("territories",), form.territories))
    for name, person in form.industries.items():
        people.check_person(file, ("industries", name), person)
    for name, person in form.segments.items():
        people.check_person(file, ("segments", name), person)
        sources.findings.check_name(file, ("segments", name), "segment", name, segments)
    routing = Routing(
        roles=form.roles,
        territories=tuple(form.territories),
        industries=form.industries,
        segments=form.segments,
        owner_change=form.owner_change,
    )
    return ReadRouting(routing=routing, roles=roles)


def _check_names(
    sources: Sources, people: NamedPeople, file: YamlFile, roles: Collection[str] | None
) -> None:
    """Names that roles and territories refer to, also where a form does not fit."""
    known = {*(roles or ()), "customer.owner"}
    for at, role in file.items("roles"):
        steps = texts(role.get("first_of"))
        for i, item in enumerate(steps):
            sources.findings.check_name(file, (*at, "first_of", i), "role", item, known)
        people.check_person(file, (*at, "person"), role.get("person"))
        people.check_team(file, (*at, "team"), role.get("team"))
        _after_default(sources, file, (*at, "first_of"), steps)
    for at, territory in file.items("territories"):
        people.check_person(file, (*at, "office"), territory.get("office"))
        people.check_person(file, (*at, "lead"), territory.get("lead"))


def _check_roles(sources: Sources, file: YamlFile, roles: Mapping[str, Role]) -> None:
    """Each role is filled in one way, and none by itself in the end."""
    for name, role in roles.items():
        if role.forms != 1 and file.is_whole(("roles", name)):
            forms = "person, first_of, territory, industry, segment, team"
            sources.findings.add(
                file, ("roles", name), f"a role has exactly one of {forms}", "make two roles of it"
            )
        if name in roles_behind(name, roles):
            message, hint = f"{name!r} leads back to itself", "end it with `default`"
            sources.findings.add(file, ("roles", name, "first_of"), message, hint)


def _check_default(
    sources: Sources, people: NamedPeople, file: YamlFile, roles: Mapping[str, Role]
) -> None:
    """`default` is always filled, by a person."""
    default = roles.get("default")
    if not file.is_whole(("roles", "default")) or (
        not file.is_whole(("roles",)) and default is None
    ):
        return
    if default is None or default.person is None:
        hint = "add `default: {person: ...}`: whoever nobody is responsible for goes there"
        sources.findings.add(
            file, ("roles", "default"), "the role 'default' must name a person", hint
        )
        return
    found = people.find(default.person)
    if found is not None and found.kind != "person":
        message, hint = (
            f"{default.person!r} is an office, which cannot call anybody",
            "name a person",
        )
        sources.findings.add(file, ("roles", "default", "person"), message, hint)


def _after_default(sources: Sources, file: YamlFile, path: YamlPath, steps: Sequence[str]) -> None:
    """`default` is always filled: nobody asks further."""
    if "default" in steps[:-1]:
        message = (
            "what stands after `default` is never reached: "
            f"{', '.join(steps[steps.index('default') + 1 :])}"
        )
        sources.findings.add(
            file, (*path, steps.index("default") + 1), message, "put `default` last"
        )


def _check_territories(
    sources: Sources, file: YamlFile, territories: Mapping[int, Territory]
) -> None:
    """Of two for one place only the first is asked."""
    seen: set[tuple[str, ...]] = set()
    for at, territory in territories.items():
        place = tuple(
            folded(part or "") for part in (territory.country, territory.region, territory.city)
        )
        for key in ("office", "lead"):
            if getattr(territory, key) is not None:
                if (key, *place) in seen:
                    message = f"never reached: {territory.words} has its {key} above"
                    sources.findings.add(
                        file, ("territories", at, key), message, "keep one of them"
                    )
                seen.add((key, *place))
