"""The words that an argument's annotation lists, such as those of `Literal["warn", "stop"]`, read from source files.

Importing the classes would load torch, which takes seconds; a key press waits for a tenth of one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE_FOLDER = Path(__file__).parents[1]


def annotated_words(target: str, argument: str) -> list[str]:
    """Return the words that a class of genlab, by its dotted path, takes for an argument; none: it lists none."""
    module, _, name = target.rpartition(".")
    for owner, place in classes_of(module, name):
        if (annotation := annotation_of(owner, argument)) is not None:
            return list(dict.fromkeys(words_of(annotation, place)))
    return []


def classes_of(module: str, name: str) -> Iterator[tuple[ast.ClassDef, str]]:
    """Yield a class and then those that it is derived from, each with its module."""
    found, place = find(module, name)
    if isinstance(found, ast.ClassDef):
        yield found, place
        for base in found.bases:
            yield from classes_of(place, ast.unparse(base))


def find(module: str, name: str) -> tuple[ast.stmt | None, str]:
    """Return the statement that defines a name in a module, or in the one that it is imported from, and that module."""
    first, _, rest = name.partition(".")
    for statement in tree_of(module):
        if isinstance(statement, ast.ClassDef | ast.Assign) and name == name_of(statement):
            return statement, module
        if isinstance(statement, ast.ImportFrom) and (real := imported_name(statement, first)):
            return find(f"{statement.module}.{real}", rest) if rest else find(f"{statement.module}", real)
    return None, module


def imported_name(statement: ast.ImportFrom, name: str) -> str:
    """Return what a name is called where it is imported from; nothing if the statement does not import it."""
    return next((alias.name for alias in statement.names if name == (alias.asname or alias.name)), "")


def name_of(statement: ast.ClassDef | ast.Assign) -> str:
    return statement.name if isinstance(statement, ast.ClassDef) else ast.unparse(statement.targets[0])


@cache
def tree_of(module: str) -> list[ast.stmt]:
    inner = PACKAGE_FOLDER.joinpath(*module.split(".")[1:])
    path = inner / "__init__.py" if inner.is_dir() else inner.with_suffix(".py")
    if module.split(".")[0] != "genlab" or not path.is_file():
        return []
    return ast.parse(path.read_text(encoding="utf-8")).body


def annotation_of(owner: ast.ClassDef, argument: str) -> ast.expr | None:
    """Return the annotation of an argument of a class's constructor, or of a dataclass's field."""
    for statement in owner.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            arguments = [*statement.args.args, *statement.args.kwonlyargs]
            return next((one.annotation for one in arguments if one.arg == argument), None)
    fields = (one for one in owner.body if isinstance(one, ast.AnnAssign) and ast.unparse(one.target) == argument)
    return next((one.annotation for one in fields), None)


def words_of(annotation: ast.expr, module: str) -> Iterator[str]:
    """Yield the texts of the `Literal`s in an annotation, those behind a name such as `NormName` too."""
    for node in ast.walk(annotation):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal":
            constants = (one.value for one in ast.walk(node.slice) if isinstance(one, ast.Constant))
            yield from (value for value in constants if isinstance(value, str))
        if isinstance(node, ast.Name | ast.Attribute):
            found, place = find(module, ast.unparse(node))
            if isinstance(found, ast.Assign):
                yield from words_of(found.value, place)
