"""The ways of arrows: right-angled, around cards, with few bends and crossings; a search for the cheapest path."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.diagram.layout import Rectangle

STEP = 8.0  # pixels between two possible tracks
# What a path avoids, in steps: bends, crossings, another's track, foreign frames, titles, the side of another path or
# of a border, corners of cards.
_BEND, _CROSSING, _SHARED, _FOREIGN, _TITLE, _BESIDE, _BORDER, _ASIDE = 8.0, 6.0, 24.0, 5.0, 20.0, 2.0, 3.0, 0.8
_WAYS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_ARRIVED = 4  # a way that leads nowhere: the end of a search

Cell = tuple[int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """What the search knows: cards that no arrow crosses, frames that only those of their own contents enter."""

    bounds: Rectangle
    cards: Mapping[str, Rectangle]
    groups: Mapping[str, Rectangle]
    titles: Sequence[Rectangle]
    around: Mapping[str, frozenset[str]]  # the groups that a card or group lies in, and itself


def routes(plan: Plan, arrows: Sequence[tuple[str, str]]) -> list[list[Point]]:
    """A path for each arrow, as its corners from the border of the source to that of the target.

    The shortest arrows come first, so that long ones go around them. A path is empty where there is none.
    """
    grid = _Grid(plan)
    found: list[list[Point]] = [[] for _ in arrows]
    for nth in sorted(range(len(arrows)), key=lambda n: _distance(plan, *arrows[n])):
        found[nth] = grid.route(*arrows[nth])
    return found


def _distance(plan: Plan, source: str, target: str) -> float:
    first, last = _box(plan, source), _box(plan, target)
    return abs(first.x + first.width / 2 - last.x - last.width / 2) + abs(
        first.y + first.height / 2 - last.y - last.height / 2
    )


def _box(plan: Plan, key: str) -> Rectangle:
    return plan.cards[key] if key in plan.cards else plan.groups[key]


class _Grid:
    """Tracks, and who uses them: each path that is found makes its cells dearer for the next ones."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._columns = int(plan.bounds.width // STEP) + 1
        self._rows = int(plan.bounds.height // STEP) + 1
        self._cards = {key: self._cells(box) for key, box in plan.cards.items()}
        self._inside = {key: self._cells(box) for key, box in plan.groups.items()}
        self._dear: dict[Cell, float] = {}  # whoever passes
        for cells in (*self._cards.values(), *self._inside.values()):
            self._dear.update(dict.fromkeys(_edge(cells), _BORDER))
        for box in plan.titles:
            self._dear.update(dict.fromkeys(self._cells(box), _TITLE))
        self._used: dict[Cell, set[int]] = {}  # the directions in which paths pass: 0 along, 1 across

    def _cells(self, box: Rectangle) -> frozenset[Cell]:
        return frozenset((x, y) for x in self._span(box.x, box.right, 0) for y in self._span(box.y, box.bottom, 1))

    def _span(self, low: float, high: float, axis: int) -> range:
        origin = (self._plan.bounds.x, self._plan.bounds.y)[axis]
        return range(int((low - origin) // STEP), int((high - origin) // STEP) + 1)

    def _point(self, cell: Cell) -> Point:
        return self._plan.bounds.x + cell[0] * STEP, self._plan.bounds.y + cell[1] * STEP

    def route(self, source: str, target: str) -> list[Point]:
        plan = self._plan
        mine = plan.around[source] | plan.around[target]
        shut: set[Cell] = set()
        for key, cells in self._cards.items():
            if key not in (source, target):
                shut |= cells
        dear = dict(self._dear)
        for key, cells in self._inside.items():
            if key not in mine:
                dear.update(dict.fromkeys(cells, _FOREIGN))
        shared = [self._inside[each] for each in plan.around[source] & plan.around[target] if each in self._inside]
        if shared:  # what is between two things of one frame stays in it
            home = min(shared, key=len)
            outside = {(x, y) for x in range(self._columns) for y in range(self._rows)} - home
            for cell in outside:
                dear[cell] = dear.get(cell, 0.0) + _FOREIGN
        ends = {cell: (way, aside) for cell, way, aside in self._doors(target)}
        inner = self._inner(source) | self._inner(target)
        path = self._search(self._doors(source), ends, shut | inner, dear)
        self._take(path)
        return self._joined(source, target, path) if path else []

    def _inner(self, key: str) -> frozenset[Cell]:
        """A card's own cells, or those of a frame: an arrow at a frame stays outside."""
        return self._cards[key] if key in self._cards else self._inside[key]

    def _doors(self, key: str) -> list[tuple[Cell, int, float]]:
        """The cells just outside a box, with the way out and what they cost: the middle of a card's side is best."""
        box = _box(self._plan, key)
        across, down = self._span(box.x, box.right, 0), self._span(box.y, box.bottom, 1)
        aside = _ASIDE if key in self._cards else 0.0
        doors = []
        for y in down[1:-1]:
            cost = aside * abs(y - (down[0] + down[-1]) / 2)
            doors += [((across[-1] + 1, y), 0, cost), ((across[0] - 1, y), 2, cost)]
        for x in across[2:-2]:
            cost = aside * abs(x - (across[0] + across[-1]) / 2) / 2
            doors += [((x, down[-1] + 1), 1, cost), ((x, down[0] - 1), 3, cost)]
        return doors

    def _search(
        self,
        begin: Iterable[tuple[Cell, int, float]],
        ends: Mapping[Cell, tuple[int, float]],
        shut: set[Cell],
        dear: Mapping[Cell, float],
    ) -> list[Cell]:
        """A* over cells and directions: https://en.wikipedia.org/wiki/A*_search_algorithm"""
        goals = list(ends)
        left, right = min(x for x, _ in goals), max(x for x, _ in goals)
        top, bottom = min(y for _, y in goals), max(y for _, y in goals)

        def remaining(cell: Cell) -> float:
            x, y = cell
            return max(left - x, 0, x - right) + max(top - y, 0, y - bottom)

        best: dict[tuple[Cell, int], float] = {}
        came: dict[tuple[Cell, int], tuple[Cell, int] | None] = {}
        queue: list[tuple[float, float, Cell, int]] = []
        for cell, way, aside in begin:
            if cell not in shut and self._within(cell):
                cost = aside + self._cost(cell, way, dear)
                best[cell, way], came[cell, way] = cost, None
                heapq.heappush(queue, (cost + remaining(cell), cost, cell, way))
        while queue:
            _, cost, cell, way = heapq.heappop(queue)
            if cost > best[cell, way]:
                continue
            if way == _ARRIVED:
                return _back(came, (cell, way))
            if cell in ends:
                into, aside = (ends[cell][0] + 2) % 4, ends[cell][1]
                total = cost + aside + (_BEND if into != way else 0)
                best[cell, _ARRIVED], came[cell, _ARRIVED] = total, (cell, way)
                heapq.heappush(queue, (total, total, cell, _ARRIVED))
            for turn, (dx, dy) in enumerate(_WAYS):
                after = (cell[0] + dx, cell[1] + dy)
                if (turn + 2) % 4 == way or after in shut or not self._within(after):
                    continue
                total = cost + 1 + (_BEND if turn != way else 0) + self._cost(after, turn, dear)
                if total < best.get((after, turn), float("inf")):
                    best[after, turn], came[after, turn] = total, (cell, way)
                    heapq.heappush(queue, (total + remaining(after), total, after, turn))
        return []

    def _within(self, cell: Cell) -> bool:
        return 0 <= cell[0] < self._columns and 0 <= cell[1] < self._rows

    def _cost(self, cell: Cell, way: int, dear: Mapping[Cell, float]) -> float:
        cost = dear.get(cell, 0.0)
        for used in self._used.get(cell, ()):
            cost += _SHARED if used == way % 2 else _CROSSING
        dx, dy = _WAYS[(way + 1) % 4]
        for beside in ((cell[0] + dx, cell[1] + dy), (cell[0] - dx, cell[1] - dy)):
            if way % 2 in self._used.get(beside, ()):
                cost += _BESIDE
        return cost

    def _take(self, path: Sequence[Cell]) -> None:
        for before, after in itertools.pairwise(path):
            axis = 0 if before[1] == after[1] else 1
            for cell in (before, after):
                self._used.setdefault(cell, set()).add(axis)

    def _joined(self, source: str, target: str, path: Sequence[Cell]) -> list[Point]:
        """The path with its ends on the two borders, and without the points on its straight parts."""
        points = [self._point(cell) for cell in path]
        points = [_touch(points[0], _box(self._plan, source)), *points, _touch(points[-1], _box(self._plan, target))]
        corners = points[:1]
        for before, at, after in zip(points, points[1:], points[2:], strict=False):
            if not (before[0] == at[0] == after[0] or before[1] == at[1] == after[1]):
                corners.append(at)
        return [*corners, points[-1]]


def _edge(cells: frozenset[Cell]) -> frozenset[Cell]:
    """The outermost cells of a box and those around them."""
    around = {(x + dx, y + dy) for x, y in cells for dx, dy in _WAYS}
    return frozenset(around - cells) | {
        (x, y) for x, y in cells if any((x + dx, y + dy) not in cells for dx, dy in _WAYS)
    }


def _back(came: Mapping[tuple[Cell, int], tuple[Cell, int] | None], end: tuple[Cell, int]) -> list[Cell]:
    path: list[Cell] = []
    at: tuple[Cell, int] | None = end
    while at is not None:
        if not path or path[-1] != at[0]:
            path.append(at[0])
        at = came[at]
    return path[::-1]


def _touch(point: Point, box: Rectangle) -> Point:
    return min(max(point[0], box.x), box.right), min(max(point[1], box.y), box.bottom)
