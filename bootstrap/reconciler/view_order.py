"""What the planned views seem to read, and an order in which what is read comes first. Pure.

No SQL is parsed here: a view is taken to read what has its name as a word in the view's SQL. A wrong guess only orders
two steps that need no order. Views may seem to read each other in a circle; it is cut somewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.reconciler.changes import Change


@dataclass(frozen=True)
class ViewOrder:
    """Addresses of views by their place, and what each reads among the views before it and among ``others``.

    ``readers`` is the opposite: the views that read a view or one of the ``others``.
    """

    places: Mapping[str, int]
    reads: Mapping[str, Sequence[str]]
    readers: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, views: Mapping[str, frozenset[str]], others: Iterable[Change]) -> ViewOrder:
        """The order of ``views``: the words in their SQL by their addresses."""
        known, more = _named(views), _named(each.address for each in others)
        direct = {view: [each for word in sorted(words & known.keys()) for each in known[word]]
                  for view, words in views.items()}  # fmt: skip
        places = {view: place for place, view in enumerate(_sorted(direct))}
        reads = {view: [each for each in found if places[each] < places[view]] for view, found in direct.items()}
        for view, words in views.items():
            reads[view] += [each for word in sorted(words & more.keys()) for each in more[word]]
        readers: dict[str, list[str]] = {}
        for view, found in reads.items():
            for each in found:
                readers.setdefault(each, []).append(view)
        return cls(places, reads, readers)


def _named(addresses: Iterable[str]) -> dict[str, list[str]]:
    """The addresses by the last part of the name, which is never quoted, in lower case as SQL compares names."""
    found: dict[str, list[str]] = {}
    for each in addresses:
        found.setdefault(each.rpartition(".")[2].lower(), []).append(each)
    return found


def _sorted(reads: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Each view after those that it reads, as far as there is no circle."""
    begun: set[str] = set()
    for first in reads:
        waiting = [(first, iter(reads[first]))] if first not in begun else []
        begun.add(first)
        while waiting:  # no recursion: a chain of views may be long
            view, left = waiting[-1]
            following = next((each for each in left if each not in begun), None)
            if following is None:
                waiting.pop()
                yield view
            else:
                begun.add(following)
                waiting.append((following, iter(reads[following])))
