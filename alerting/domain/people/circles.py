"""Circles among names that refer to each other."""

from collections.abc import Mapping


def circles(named: Mapping[str, str]) -> list[list[str]]:
    """Each circle of two or more once, beginning with its first name: `[[ann, ben]]`. What refers
    to itself is none.
    """
    found: dict[frozenset[str], list[str]] = {}
    for start in sorted(named):
        path: list[str] = []
        current: str | None = start
        while current is not None and current not in path:
            path.append(current)
            current = named.get(current)
        if current is not None:
            circle = path[path.index(current) :]
            first = circle.index(min(circle))
            if len(circle) > 1:
                found.setdefault(frozenset(circle), [*circle[first:], *circle[:first]])
    return sorted(found.values())
