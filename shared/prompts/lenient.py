"""Reads what models write for JSON: JSON itself, Python literals, and both cut short.

Knows single quotes, ``None``/``True``/``False``, trailing commas, unescaped quotes inside
strings and missing closing brackets. What was cut in the middle is left out. Not here: tags
round the answer (``ladder``) and what the values mean.
"""

from __future__ import annotations

import re

_MAX_DEPTH = 32
_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"[A-Za-z_]+|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS: dict[str, bool | None] = {
    "true": True, "false": False, "null": None, "none": None, "nan": None,
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(
    r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|.)", re.DOTALL
)  # fmt: skip
_MAX_CODE_POINT = 0x10FFFF
_AFTER_STRING = frozenset(",:}]")

Value = str | int | float | bool | list["Value"] | dict[str, "Value"] | None


class UnreadableError(ValueError):
    """There is no value to be read here."""


class _CutError(Exception):
    """The text ends inside the value."""


def read_lenient(text: str, start: int = 0) -> Value:
    """The value that begins at ``start``; whatever stands behind it is ignored.

    Raises:
        UnreadableError: No value begins there, or it is nested too deep.
    """
    reader = _Reader(text, start)
    try:
        return reader.value(0)
    except _CutError:
        raise UnreadableError("the text ends before the value does") from None


def closed_end(text: str, start: int) -> int | None:
    """Where the object that opens at ``start`` has closed, or None while it is still open."""
    depth, place = 0, start
    while place < len(text):
        character = text[place]
        if character in "\"'":
            closing = _closing_quote(text, place)
            if closing is None:
                return None
            place = closing
        elif character in "{[":
            depth += 1
        elif character in "}]":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return None


def _closing_quote(text: str, start: int) -> int | None:
    """Index of the quote that ends the string: the first one that something fit follows."""
    quote, place = text[start], start + 1
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text[place] == quote:
            after = _skip(text, place + 1)
            if after >= len(text) or text[after] in _AFTER_STRING:
                return place
        place += 1
    return None


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


class _Reader:
    """A recursive reader over one text."""

    def __init__(self, text: str, place: int) -> None:
        self._text = text
        self._place = place

    def value(self, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            raise UnreadableError("nested too deep")
        match self._peek():
            case "{":
                return self._object(depth)
            case "[":
                return self._array(depth)
            case '"' | "'":
                return self._string()
            case _:
                return self._word()

    def _peek(self) -> str:
        self._place = _skip(self._text, self._place)
        if self._place >= len(self._text):
            raise _CutError
        return self._text[self._place]

    def _object(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        self._place += 1
        while self._peek() != "}":
            if self._peek() == ",":
                self._place += 1
                continue
            key = self._string() if self._peek() in "\"'" else self._word()
            if self._peek() != ":":
                raise UnreadableError(f"no colon after {key!r}")
            self._place += 1
            try:
                found[str(key)] = self.value(depth + 1)
                self._peek()
            except _CutError:
                if depth > 0:
                    raise
                return found
        self._place += 1
        return found

    def _array(self, depth: int) -> list[Value]:
        found: list[Value] = []
        self._place += 1
        try:
            while self._peek() != "]":
                if self._peek() == ",":
                    self._place += 1
                    continue
                found.append(self.value(depth + 1))
        except _CutError:
            self._place = len(self._text)
            return found
        self._place += 1
        return found

    def _string(self) -> str:
        end = _closing_quote(self._text, self._place)
        if end is None:
            raise _CutError
        raw = self._text[self._place + 1 : end]
        self._place = end + 1
        return _unescaped(raw)

    def _word(self) -> Value:
        match = _WORD.match(self._text, self._place)
        if not match:
            raise UnreadableError(f"no value at {self._text[self._place : self._place + 20]!r}")
        word, self._place = match[0], match.end()
        if self._place >= len(self._text):
            raise _CutError
        if word.lower() in _WORDS:
            return _WORDS[word.lower()]
        return _number(word)


def _number(word: str) -> Value:
    try:
        return int(word)
    except ValueError:
        pass
    try:
        return float(word)
    except ValueError:
        raise UnreadableError(f"{word[:20]!r} is no value") from None


def whole_characters(text: str) -> str:
    """The text with surrogate pairs joined and halves of pairs replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped(raw: str) -> str:
    if "\\" not in raw:
        return raw
    return whole_characters(_ESCAPE.sub(_escape, raw))


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _ESCAPES.get(code, code)
    number = int(code[1:], 16)
    return chr(number) if number <= _MAX_CODE_POINT else "\ufffd"
