"""A picture as SVG 1.1, which every browser and most documents show. https://www.w3.org/TR/SVG11/"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as Xml

from bootstrap.diagram.layout import TEXT, TITLE, Rectangle, lay_out, shortened, text_width
from bootstrap.diagram.picture import Card, Family, Group, Picture
from bootstrap.diagram.route import Plan, Point, routes

#: Strong and pale; told apart in print and by most who see few colours, and every card says in words what it is.
_COLOURS: Mapping[Family, tuple[str, str]] = {
    "access": ("#a3324a", "#fdf3f5"),
    "engine": ("#b45f06", "#fef7ee"),
    "network": ("#6a4c9c", "#f7f4fc"),
    "catalog": ("#1f6f8b", "#f0f8fb"),
    "store": ("#3a7d34", "#f2f9f1"),
    "security": ("#8a6d00", "#fcf9ea"),
    "watch": ("#4a5a70", "#f3f5f8"),
    "step": ("#55606e", "#f6f7f8"),
    "other": ("#666666", "#f7f7f7"),
}
_INK, _FAINT, _LINE = "#1c2430", "#5b6675", "#3c4a5c"
_MARGIN, _HEADER, _NOTE = 40.0, 64.0, 16.0
_CORNER = 6.0  # radius where an arrow bends
_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"


def draw(picture: Picture) -> str:
    """The SVG's text. The same picture gives the same text."""
    places = lay_out(picture.root)
    whole = places[picture.root.id]
    footer = _NOTE * len(picture.notes) + (24 if picture.notes else 0)
    width = max(whole.width, text_width(picture.title, 20, bold=True)) + 2 * _MARGIN
    height = whole.height + 2 * _MARGIN + _HEADER + footer
    svg = Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "width": _number(width),
            "height": _number(height),
            "viewBox": f"0 0 {_number(width)} {_number(height)}",
            "font-family": _FONT,
            "role": "img",
        },
    )
    Xml.SubElement(svg, "title").text = picture.title
    Xml.SubElement(svg, "desc").text = picture.subtitle
    _arrow_head(svg)
    Xml.SubElement(svg, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    _text(svg, _MARGIN, _MARGIN + 14, picture.title, 20, bold=True)
    _text(svg, _MARGIN, _MARGIN + 36, picture.subtitle, 12, colour=_FAINT)
    drawing = Xml.SubElement(svg, "g", {"transform": f"translate({_number(_MARGIN)},{_number(_MARGIN + _HEADER)})"})
    for group in picture.root.groups():
        if group.title:
            _group(drawing, group, places[group.id])
    lines = routes(plan(picture, places), [(each.source, each.target) for each in picture.arrows])
    for line in lines:
        _line(drawing, line)
    for card in picture.root.cards():
        _card(drawing, card, places[card.id])
    taken = [places[card.id] for card in picture.root.cards()]
    taken += plan(picture, places).titles
    for arrow, line in zip(picture.arrows, lines, strict=True):
        if arrow.label and line:
            _label(drawing, arrow.label, line, taken)
    for nth, note in enumerate(picture.notes):
        _text(svg, _MARGIN, height - _MARGIN - _NOTE * (len(picture.notes) - 1 - nth), note, 11, colour=_FAINT)
    Xml.indent(svg, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(svg, encoding="unicode") + "\n"


def plan(picture: Picture, places: Mapping[str, Rectangle]) -> Plan:
    """What the search for the arrows' ways has to know of a picture laid out like this."""
    around: dict[str, frozenset[str]] = {}

    def walk(item: Card | Group, outer: frozenset[str]) -> None:
        around[item.id] = outer | {item.id}
        if isinstance(item, Group):
            for child in item.children:
                walk(child, around[item.id])

    walk(picture.root, frozenset())
    whole = places[picture.root.id]
    margin = _MARGIN / 2
    frames = {group.id: places[group.id] for group in picture.root.groups() if group.title}
    return Plan(
        bounds=Rectangle(whole.x - margin, whole.y - margin, whole.width + 2 * margin, whole.height + 2 * margin),
        cards={card.id: places[card.id] for card in picture.root.cards()},
        groups=frames,
        titles=[
            Rectangle(frames[group.id].x, frames[group.id].y, text_width(group.title, TITLE, bold=True) + 24, 28)
            for group in picture.root.groups()
            if group.title
        ],
        around=around,
    )


def _arrow_head(svg: Xml.Element) -> None:
    head = Xml.SubElement(
        Xml.SubElement(svg, "defs"),
        "marker",
        {"id": "head", "viewBox": "0 0 8 8", "refX": "7.2", "refY": "4", "markerWidth": "8", "markerHeight": "8"}
        | {"orient": "auto", "markerUnits": "userSpaceOnUse"},
    )
    Xml.SubElement(head, "path", {"d": "M0,0.6 L7.6,4 L0,7.4 z", "fill": _LINE})


def _group(parent: Xml.Element, group: Group, at: Rectangle) -> None:
    strong, pale = _COLOURS[group.family]
    _box(parent, at, {"rx": "8", "fill": pale, "stroke": strong, "stroke-width": "1.2"})
    _text(parent, at.x + 16, at.y + 22, shortened(group.title, TITLE, at.width - 32, bold=True), TITLE, True, strong)


def _card(parent: Xml.Element, card: Card, at: Rectangle) -> None:
    strong, _ = _COLOURS[card.family]
    whole = Xml.SubElement(parent, "g")
    Xml.SubElement(whole, "title").text = "\n".join(card.stands_for)
    _box(whole, at, {"rx": "5", "fill": "#ffffff", "stroke": strong, "stroke-width": "1"})
    _box(whole, Rectangle(at.x, at.y + 5, 4, at.height - 10), {"rx": "2", "fill": strong})
    room = at.width - 24
    _text(whole, at.x + 14, at.y + 14, shortened(card.kind, TEXT - 1, room), TEXT - 1, colour=strong)
    _text(whole, at.x + 14, at.y + 29, shortened(card.title, TITLE, room, bold=True), TITLE, bold=True)
    for nth, line in enumerate(card.lines):
        _text(whole, at.x + 14, at.y + 45 + 14 * nth, shortened(line, TEXT, room), TEXT, colour=_FAINT)


def _line(parent: Xml.Element, points: Sequence[Point]) -> None:
    if not points:
        return
    path = [f"M{_pair(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_CORNER, _far(before, corner) / 2, _far(corner, after) / 2)
        path += [f"L{_pair(_towards(corner, before, radius))}"]
        path += [f"Q{_pair(corner)} {_pair(_towards(corner, after, radius))}"]
    path.append(f"L{_pair(points[-1])}")
    style = {"fill": "none", "stroke": _LINE, "stroke-width": "1.3", "marker-end": "url(#head)"}
    Xml.SubElement(parent, "path", {"d": " ".join(path), **style})


def _label(parent: Xml.Element, text: str, line: Sequence[Point], taken: list[Rectangle]) -> None:
    """On the longest part of the arrow where the text covers nothing; without such a place, nowhere."""
    wide, high = text_width(text, TEXT) + 6, 14.0
    parts = sorted(itertools.pairwise(line), key=lambda part: (-_level(*part), -_far(*part)))
    spots = [
        Rectangle(x - wide / 2, y - high / 2, wide, high)
        for first, last in parts
        for share in (0.5, 0.35, 0.65, 0.2, 0.8)
        for x, y in [(first[0] + (last[0] - first[0]) * share, first[1] + (last[1] - first[1]) * share)]
    ]
    at = next((spot for spot in spots if not any(spot.overlaps(other) for other in taken)), None)
    if at is None:
        return
    taken.append(at)
    _box(parent, at, {"rx": "3", "fill": "#ffffff", "fill-opacity": "0.92"})
    _text(parent, at.x + at.width / 2, at.y + 10.5, text, TEXT, colour=_LINE, anchor="middle")


def _level(first: Point, last: Point) -> int:
    return 1 if first[1] == last[1] and _far(first, last) > 60 else 0


def _box(parent: Xml.Element, at: Rectangle, style: Mapping[str, str]) -> None:
    place = {"x": at.x, "y": at.y, "width": at.width, "height": at.height}
    Xml.SubElement(parent, "rect", {**{key: _number(value) for key, value in place.items()}, **style})


def _text(
    parent: Xml.Element,
    x: float,
    y: float,
    text: str,
    size: float,
    bold: bool = False,
    colour: str = _INK,
    anchor: str = "",
) -> None:
    style = {"x": _number(x), "y": _number(y), "font-size": _number(size), "fill": colour}
    style |= {"font-weight": "bold"} if bold else {}
    style |= {"text-anchor": anchor} if anchor else {}
    Xml.SubElement(parent, "text", style).text = text


def _far(first: Point, last: Point) -> float:
    return abs(first[0] - last[0]) + abs(first[1] - last[1])


def _towards(point: Point, other: Point, length: float) -> Point:
    far = _far(point, other) or 1.0
    return point[0] + (other[0] - point[0]) * length / far, point[1] + (other[1] - point[1]) * length / far


def _pair(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
