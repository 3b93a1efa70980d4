"""What operator and worker say of a conversion, taken from where they say it: the tables in docs/conversion.md.

Collected as gettext collects texts for translators, so that nobody keeps a list: wherever a reason stands beside a text
in the sources, that is what is said for it. Of a text that is put together the fixed words are known; the rest is `…`.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Final

from tests.generated_parts import renewed
from video2mp3_contracts.api import crd
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.remedies import REMEDIES

ROOT: Final = Path(__file__).resolve().parents[2]
CONVERSION_PAGE: Final = ROOT / "docs" / "conversion.md"
PARTS: Final = {
    "operator": ROOT / "operator" / "src" / "video2mp3_operator",
    "worker": ROOT / "worker-image" / "src" / "video2mp3_worker",
}
_SHARED: Final = (ROOT / "contracts" / "src" / "video2mp3_contracts" / "api" / "source_urls.py",)
VARIES: Final = "…"

_BY_NAME: Final = {
    "Await": Reason.SERVICE_UNAVAILABLE,
    "Queue": Reason.QUEUED,
    "BrokenOffError": Reason.SOURCE_UNAVAILABLE,
}
"""What says by its own name for which reason it is."""

_VERDICTS: Final = frozenset({"Fail", "Follow", "Replace", "Refused", "TryAgain"})
"""What is made of a reason and a text. Where the reason is not a fixed one, it is another's."""

_NOT_IN_A_CLUSTER: Final = frozenset({"cli.py"})

Words = dict[Reason | None, list[str]]
"""By reason, in the order of the sources; None for whichever the last attempt had."""


@cache
def words_of(part: str) -> Words:
    """All that one part says."""
    trees = {path: ast.parse(path.read_text()) for path in (*sorted(PARTS[part].rglob("*.py")), *_SHARED)}
    functions = {name: each for tree in trees.values() for name, each in _functions(tree).items()}
    found: Words = {}
    for path, tree in trees.items():
        for reason, text in Source(tree, functions).said() if path.name not in _NOT_IN_A_CLUSTER else ():
            told = found.setdefault(reason, [])
            if text.strip(f"{VARIES} .:;") and text not in told:
                told.append(text)
    return found


@dataclass
class Source:
    """One module, and the functions that it may call by their names."""

    tree: ast.Module
    elsewhere: Mapping[str, ast.FunctionDef] = field(default_factory=dict)
    scope: ast.AST | None = None
    """The function in which names are looked up first."""

    busy: set[str] = field(default_factory=set)
    """Functions that are being looked into, so that none leads to itself."""

    known: dict[ast.AST, dict[str, list[tuple[ast.expr, int]]]] = field(default_factory=dict)
    """What names are given, by scope, so that none is walked through twice."""

    def said(self) -> Iterator[tuple[Reason | None, str]]:
        """Reasons and texts, as they stand beside each other."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
                self.scope = node
                for below in _within(node):
                    yield from self._said_by(below)

    def _said_by(self, node: ast.AST) -> Iterator[tuple[Reason | None, str]]:
        if isinstance(node, ast.Tuple):
            yield from self._pairs(node.elts)
        if not isinstance(node, ast.Call):
            return
        name, keywords = _called(node), {each.arg: each.value for each in node.keywords}
        if name in _BY_NAME and node.args:
            yield from ((_BY_NAME[name], text) for text in self.texts(node.args[-1]))
        elif {"reason", "message"} <= keywords.keys():
            yield from self._pairs([keywords["reason"], keywords["message"]])
        elif name in _VERDICTS and len(node.args) > 1 and self.reason(node.args[0]) is None:
            yield from ((None, text) for text in self.texts(node.args[1]))
        else:
            yield from self._pairs(node.args)

    def _pairs(self, nodes: Sequence[ast.expr]) -> Iterator[tuple[Reason | None, str]]:
        for first, second in pairwise(nodes):
            reason = self.reason(first)
            if reason is not None and self.reason(second) is None:
                yield from ((reason, text) for text in self.texts(second) or [""])

    def reason(self, node: ast.expr) -> Reason | None:
        """The one reason that an expression stands for."""
        match node:
            case ast.Attribute(value=ast.Name(id="Reason"), attr=name):
                return Reason[name]
            case ast.Name(id=name):
                found = {self.reason(value) for value in self._given(name, node.lineno)}
                return found.pop() if len(found) == 1 else None
        return None

    def texts(self, node: ast.expr) -> list[str]:
        """The texts that an expression may stand for; none where nothing is known of it."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.Name(id=name):
                return [text for value in self._given(name, node.lineno) for text in self.texts(value)]
            case ast.Attribute(value=reason, attr="meaning"):
                found = self.reason(reason)
                return [found.meaning] if found else []
            case ast.Call(func=ast.Attribute(value=ast.expr() as text, attr="strip")):
                return self.texts(text)
            case ast.Call():
                return self._answers(_called(node))
        return self._put_together(node)

    def _put_together(self, node: ast.expr) -> list[str]:
        match node:
            case ast.JoinedStr(values=parts):
                return _joined([self.texts(part) or [VARIES] for part in parts])
            case ast.FormattedValue(value=ast.Call() | ast.Attribute(attr="meaning") as value):
                return self.texts(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self.texts(left) or [VARIES], self.texts(right) or [VARIES]])
            case ast.IfExp(body=body, orelse=other):
                return [text for value in (body, other) for text in self.texts(value) or [VARIES]]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.texts(value) or [VARIES]]
        return []

    def _answers(self, name: str) -> list[str]:
        """What a function may answer."""
        function = _functions(self.tree).get(name) or self.elsewhere.get(name)
        if function is None or name in self.busy:
            return []
        before, self.scope = self.scope, function
        self.busy.add(name)
        answers = [each.value for each in _within(function) if isinstance(each, ast.Return) and each.value]
        found = [text for value in answers for text in self.texts(value) or [VARIES]]
        self.scope = before
        self.busy.discard(name)
        return found

    def _given(self, name: str, line: int) -> list[ast.expr]:
        """What a name may be given above a line of this function, or else in the module."""
        here = self._assignments(self.scope or self.tree).get(name, [])
        surely = [value.lineno for value, last in here if value.lineno < line <= last]
        lately = [value for value, _ in here if max(surely, default=0) <= value.lineno < line]
        return lately or [value for value, _ in self._assignments(self.tree).get(name, [])]

    def _assignments(self, scope: ast.AST) -> dict[str, list[tuple[ast.expr, int]]]:
        """By name: each value, and the last line of the block that it is given in."""
        if scope not in self.known:
            known = self.known.setdefault(scope, {})
            for block in _blocks(scope):
                for name, value in filter(None, map(_assigned, block)):
                    known.setdefault(name, []).append((value, block[-1].end_lineno or 0))
        return self.known[scope]


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}


def _blocks(scope: ast.AST) -> Iterator[list[ast.stmt]]:
    """Statements that follow each other."""
    for node in (scope, *_within(scope)):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                yield block


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """All of a scope but what is in functions of it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _within(child)


def _assigned(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, value
    return None


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _joined(parts: list[list[str]]) -> list[str]:
    texts = ("".join(chosen) for chosen in product(*parts))
    return [re.sub(f"{VARIES}{VARIES}+", VARIES, text) for text in texts]


# --- what the page shows of them


def table(part: str) -> str:
    """A part's reasons, what it says for each, what that is about and what to do."""
    unseen = [crd.UNSEEN_STATUS["conditions"][0]["message"]]
    said = words_of(part) | ({Reason.PENDING: unseen} if part == "operator" else {})
    rows = [
        _row(reason.value, said[reason] or [reason.meaning], *REMEDIES[reason]) for reason in Reason if reason in said
    ]
    if None in said:
        rows.append(_row("", said[None], "what `…` says", "as of the reason that it has"))
    return "\n".join(["| reason | what it says | what it is about | to do |", "| --- | --- | --- | --- |", *rows])


def _row(reason: str, said: list[str], about: str, to_do: str) -> str:
    return f"| {f'`{reason}`' if reason else 'any of these'} | {'<br>'.join(said)} | {about} | {to_do} |"


def with_words(page: str) -> str:
    """The page with its tables of words renewed."""
    return renewed(page, {f"words of the {part}": table(part) for part in PARTS})


if __name__ == "__main__":
    CONVERSION_PAGE.write_text(with_words(CONVERSION_PAGE.read_text()))
