"""SQL text split into statements, with their places in the text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from lakehouse.errors import UsageError

# A semicolon in comments, strings and quoted names ends nothing. Spark escapes quotes with a backslash, except in raw
# strings; its line comments go on after a backslash, its block comments nest, and one with a plus is a hint. Trino has
# functions in Python between $$.
_QUOTED = {
    "trino": r"\$\$.*?(?:\$\$|\Z)|'(?:[^']|'')*(?:'|\Z)|\"(?:[^\"]|\"\")*(?:\"|\Z)",
    "spark": (
        r"\b[rR](?:'[^']*(?:'|\Z)|\"[^\"]*(?:\"|\Z))|"
        r"'(?:[^'\\]|\\.)*(?:'|\\?\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z)|`(?:[^`]|``)*(?:`|\Z)"
    ),
}
_NAMES_IN = {"trino": '"', "spark": "`"}  # the quotes around names
_LINE_COMMENT = {"trino": r"--[^\n]*", "spark": r"--(?:\\\n|[^\n])*"}
_BLOCK_COMMENT = {"trino": r"/\*", "spark": r"/\*(?!\+)"}
_TOKENS = {
    dialect: re.compile(
        f"(?P<line>{_LINE_COMMENT[dialect]})|(?P<block>{_BLOCK_COMMENT[dialect]})|(?P<quoted>{_QUOTED[dialect]})"
        r"|(?P<end>;)|(?P<opens>[(\[])|(?P<closes>[)\]])|(?P<word>[^\W\d]\w*)|(?P<blank>\s+)|(?P<other>.)",
        re.DOTALL,
    )
    for dialect in _QUOTED
}
_EDGE = re.compile(r"/\*|\*/")
_WORD_AFTER = re.compile(r"\s+([A-Za-z]+)")
_BACKSLASHES = re.compile(r"(?:[^\\]|\\.)*", re.DOTALL)  # none escapes what follows
_PAIRS = {")": "(", "]": "["}
_BLOCKS = ("IF", "LOOP", "WHILE", "REPEAT", "FOR")  # inside a body; each ends with END and its own word


@dataclass(frozen=True)
class Position:
    """A place in a text: line and column, counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True)
class SqlStatement:
    """A statement, and where its first character is in the text."""

    text: str
    start: Position

    def at(self, line: int, column: int) -> Position:
        """The place in the whole text of a place in the statement."""
        first = self.start
        return Position(first.line + line - 1, column if line > 1 else first.column + column - 1)


@dataclass(frozen=True)
class _Token:
    kind: str
    start: int
    end: int
    closed: bool = True


@dataclass
class _Reader:
    """The statement that is being read."""

    start: int | None = None
    brackets: list[int] = field(default_factory=list)  # the places of those that are open
    quotes: list[int] = field(default_factory=list)  # the places of quotes that go over several lines
    words: list[str] = field(default_factory=list)  # the first ones
    bodies: list[int] = field(default_factory=list)  # the places of BEGIN and CASE, where semicolons end nothing
    before: str = ""  # the last word

    @property
    def has_body(self) -> bool:
        """Whether it can contain statements: a script of Spark, or a function of Trino."""
        return self.words[:1] == ["BEGIN"] or (self.words[0] in ("CREATE", "WITH") and "FUNCTION" in self.words[:4])


def split(sql: str, dialect: str, source: str = "SQL") -> list[SqlStatement]:
    """The statements between semicolons, in order; those that contain only comments are left out.

    Raises UsageError if a quote, a comment or a bracket is not closed, which names the place where it begins.
    """
    found: list[SqlStatement] = []
    for statement, problem in _read(sql, dialect):
        if problem is not None:
            place, message = problem
            raise UsageError(f"{source}:{_position(sql, place)}: {message} Nothing was run.")
        found.append(statement)
    return found


def split_all(texts: Sequence[str], dialect: str, source: str = "SQL") -> list[SqlStatement]:
    """The statements of several texts, none of which goes on in the next. Each begins on the line after the former."""
    found: list[SqlStatement] = []
    above = 0
    for nth, text in enumerate(texts, 1):
        for each in split(text, dialect, source if len(texts) == 1 else f"{source} (number {nth})"):
            found.append(replace(each, start=Position(each.start.line + above, each.start.column)))
        above += text.count("\n") + 1
    return found


def is_complete(sql: str, dialect: str) -> bool:
    """Whether nothing is open at the end of the text, so that a prompt does not ask for more."""
    reader = _Reader()
    for token in _tokens(sql, dialect):
        if not token.closed:
            return False
        if token.kind == "end" and not reader.bodies:
            reader = _Reader()
        else:
            _take(reader, sql, token)
    return reader.start is None


def command(statement: str, dialect: str) -> str:
    """What a statement does, in capitals, as in ``INSERT`` or ``CREATE TABLE``; empty if it has no words."""
    words = [
        statement[token.start : token.end].upper() for token in _tokens(statement, dialect) if token.kind == "word"
    ]
    if words[:1] in (["CREATE"], ["DROP"], ["ALTER"], ["REPLACE"], ["REFRESH"], ["CACHE"], ["UNCACHE"]):
        filler = ("OR", "REPLACE", "TEMPORARY", "TEMP", "GLOBAL", "EXTERNAL")
        return " ".join([words[0], *[each for each in words[1:6] if each not in filler][:1]])
    return "".join(words[:1])


def outline(statement: str, dialect: str) -> str:
    """The statement without its comments, and with ``'…'`` for the text in its quotes: it may be a secret.

    Quoted names stay. A quote that is not closed goes on to the end.
    """
    shown = []
    for token in _tokens(statement, dialect):
        text = statement[token.start : token.end]
        if token.kind in ("line", "block"):
            shown.append(" ")
        elif token.kind == "quoted" and not (token.closed and text[0] in _NAMES_IN[dialect]):
            shown.append("'…'")
        else:
            shown.append(text)
    return "".join(shown).strip()


def _read(sql: str, dialect: str) -> Iterator[tuple[SqlStatement, tuple[int, str] | None]]:
    """The statements; with the last one, what is wrong with it and where."""
    reader, problem = _Reader(), None
    for token in _tokens(sql, dialect):
        if not token.closed:
            problem = _unclosed(sql, token, reader)
        elif token.kind == "closes":
            opened = reader.brackets[-1:]
            if not opened or sql[opened[0]] != _PAIRS[sql[token.start]]:
                problem = (token.start, f'nothing is open that this "{sql[token.start]}" closes.')
        elif token.kind == "end" and not reader.bodies:
            problem = _open(sql, reader)
        if problem is not None:
            break
        if token.kind == "end" and not reader.bodies:
            if reader.start is not None:
                yield _statement(sql, reader.start, token.start), None
            reader = _Reader()
        else:
            _take(reader, sql, token)
    problem = problem or _open(sql, reader)
    if reader.start is not None or problem is not None:
        yield _statement(sql, reader.start or 0, len(sql)), problem


def _take(reader: _Reader, sql: str, token: _Token) -> None:
    """Note what the token opens and closes."""
    text = sql[token.start : token.end]
    if token.kind in ("blank", "line", "block"):
        return
    if reader.start is None:
        reader.start = token.start
    if token.kind == "quoted" and "\n" in text:
        reader.quotes.append(token.start)
    elif token.kind == "opens":
        reader.brackets.append(token.start)
    elif token.kind == "closes" and reader.brackets:
        reader.brackets.pop()
    elif token.kind == "word":
        word = text.upper()
        if len(reader.words) < 4:
            reader.words.append(word)
        if reader.has_body:
            _body(reader, sql, token, word)
        reader.before = word


def _body(reader: _Reader, sql: str, token: _Token, word: str) -> None:
    """Note the begin or the end of a body; END IF and the like end no body."""
    if word in ("BEGIN", "CASE") and reader.before != "END":
        reader.bodies.append(token.start)
    elif word == "END" and reader.bodies:
        after = _WORD_AFTER.match(sql, token.end)
        if after is None or after[1].upper() not in _BLOCKS:
            reader.bodies.pop()


def _tokens(sql: str, dialect: str) -> Iterator[_Token]:
    token, at = _TOKENS[dialect], 0
    while match := token.match(sql, at):
        kind, at = match.lastgroup or "other", match.end()
        closed = True
        if kind == "block":
            at, closed = _end_of_comment(sql, at, nests=dialect == "spark")
        elif kind == "quoted":
            closed = _is_closed(match[0], dialect)
        yield _Token(kind, match.start(), at, closed)


def _end_of_comment(sql: str, at: int, *, nests: bool) -> tuple[int, bool]:
    """Where the block comment around ``at`` ends, and whether it does."""
    depth = 1
    for edge in _EDGE.finditer(sql, at):
        if edge[0] == "*/":
            depth -= 1
        elif nests:
            depth += 1
        if depth == 0:
            return edge.end(), True
    return len(sql), False


def _is_closed(quoted: str, dialect: str) -> bool:
    """Whether a quoted text, which may go on to the end of the SQL, has its closing quote."""
    raw = quoted[0] in "rR"
    text = quoted[1:] if raw else quoted
    if text.startswith("$$"):
        return len(text) >= 4 and text.endswith("$$")
    quote, inner = text[0], text[1:-1]
    if len(text) < 2 or text[-1] != quote:
        return False
    if dialect == "spark" and quote != "`":
        return raw or _BACKSLASHES.fullmatch(inner) is not None
    return inner.replace(quote * 2, "").count(quote) == 0


def _unclosed(sql: str, token: _Token, reader: _Reader) -> tuple[int, str]:
    """What to say of a quote or comment that is open at the end of the text.

    A forgotten quote turns the next one, which should begin a string, into its end. So the first of the statement that
    goes over several lines is the likely one.
    """
    if token.kind == "block":
        return token.start, "the comment that begins here is not closed: */ is missing."
    place = min([token.start, *reader.quotes])
    quote = sql[place].strip("rR") or sql[place + 1]
    also = "" if place == token.start else f", or the one at {_position(sql, token.start)}"
    return place, f"the quote {quote} that begins here{also}, is not closed." if also else (
        f"the quote {quote} that begins here is not closed."
    )


def _open(sql: str, reader: _Reader) -> tuple[int, str] | None:
    """What the statement leaves open at its end: where, and a sentence."""
    if reader.bodies:
        return reader.bodies[-1], "what begins here has no END."
    if reader.brackets:
        place = reader.brackets[-1]
        return place, f'the "{sql[place]}" here is not closed in its statement.'
    return None


def _statement(sql: str, start: int, end: int) -> SqlStatement:
    return SqlStatement(sql[start:end].rstrip(), _position(sql, start))


def _position(sql: str, place: int) -> Position:
    return Position(sql.count("\n", 0, place) + 1, place - (sql.rfind("\n", 0, place) + 1) + 1)
