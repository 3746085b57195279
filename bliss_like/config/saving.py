"""Write what was changed in Python back to the YAML files: only these lines, all of it or nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bliss_like.errors import ConfigError

from .check import check_entry
from .construction import class_of
from .editing import EditRefused, edit, same
from .loader import INIT, Tree, read_document, register, value_of
from .node import ConfigList, ConfigNode, plain_form
from .parsing import Parsed, YamlProblem, decoded, digest_of, parse, plain
from .plugins import BY_CLASS
from .references import Document, Objects, Place
from .survey import Survey

_PLACE = re.compile(r"^.*?:\d+:\d+: ", re.MULTILINE)


def save(node: ConfigNode | ConfigList, tree: Tree) -> None:
    """Write what a node says to its file.

    :raises ConfigError: it cannot be, the message says why; nothing is written.
    """
    document = _document(node)
    while node.origin is None:  # it is new: what it is in is what changes on disk
        assert isinstance(node.holder, ConfigNode | ConfigList)  # noqa: S101 - the whole of a file has an origin
        node = node.holder
    text = decoded(read_unchanged(document))
    try:
        edited = edit(text, node.origin, plain_form(node))
    except EditRefused as refusal:
        raise ConfigError(f"{node.place}: {_refused(refusal, text)}") from None
    if edited.text != text:
        _check(document, edited.before, edited.after, tree)
        content = edited.text.encode()
        replace_file(Path(document.file), content, document.digest)
        document.digest = digest_of(content)
    _settle(document, node, edited.after)


def _refused(refusal: EditRefused, text: str) -> str:
    reason = str(refusal)
    if refusal.path:
        here, owner = plain(parse(text)), ""
        steps: list[str] = []
        for step in refusal.path:
            if isinstance(here, dict) and isinstance(here.get("name"), str):
                owner, steps = f" of '{here['name']}'", []
            steps.append(str(step))
            here = here[step] if isinstance(here, dict | list) and step in _steps(here) else None
        reason = f"{'.'.join(steps)}{owner} would change too, by an anchor (&) and its alias (*)"
    return f"cannot be saved: {reason}; nothing was written: change it in the file, then config.reload()"


def _steps(data: Any) -> Any:
    return data if isinstance(data, dict) else range(len(data))


def restore(node: ConfigNode) -> None:
    """Make a node say again what its file says.

    :raises ConfigError: it is not in a file, or the file was changed.
    """
    document = _document(node)
    if node.origin is None:
        raise ConfigError(f"{node.place}: was never saved: there is nothing to reload")
    parsed = _at(parse(decoded(read_unchanged(document))), node.origin)
    file = document.file
    node.written, node.key_places, node.value_places = {}, {}, {}
    for key, line, column, child in parsed[2]["map"]:
        value = value_of(child, node, (*node.origin, key), node.config)
        node.add_key(key, value, Place(file, line, column), Place(file, child[0], child[1]))


def read_unchanged(document: Document) -> bytes:
    """Return the bytes of a file.

    :raises ConfigError: they are not what was read before.
    """
    path = Path(document.file)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise ConfigError(f"{Place(document.file, 1, 1)}: cannot be read: {error.strerror}") from None
    if digest_of(content) != document.digest:
        what = "was changed by somebody since it was read" if path.exists() else "is not there any more"
        raise ConfigError(
            f"{Place(document.file, 1, 1)}: {what}; nothing was written: "
            "config.reload() reads it, then set your change again"
        )
    return content


def replace_file(path: Path, content: bytes, digest: str) -> None:
    """Give a file its new content in one step; its mode stays, a symbolic link stays one.

    :param digest: of what it is now; empty: there is no such file.
    :raises ConfigError: it is something else, or cannot be written.
    """
    path = path.resolve()
    temporary = ""
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # not every network file system has locks
            fcntl.flock(directory, fcntl.LOCK_EX)  # two processes that save do not overwrite each other
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            _copy_owner_and_mode(path, file.fileno())
            os.fsync(file.fileno())
        if path.exists() and not os.access(path, os.W_OK):
            raise ConfigError(f"{path}: is write-protected; nothing was written")
        if digest:
            read_unchanged(Document(str(path), digest, None))
        elif path.exists():
            raise ConfigError(
                f"{path}: exists already, and was not read; nothing was written: config.reload() reads it"
            )
        os.replace(temporary, path)
        os.fsync(directory)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}; it is as it was") from None
    finally:
        os.close(directory)
        if temporary:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)


def new_problems(before: Iterable[object], after: Iterable[object]) -> list[str]:
    """Return the messages that were not there before, wherever in the file they stood."""
    known = Counter(_PLACE.sub("", str(error)) for error in before)
    found = []
    for error in map(str, after):
        words = _PLACE.sub("", error)
        if known[words]:
            known[words] -= 1
        else:
            found.append(error)
    return found


def _document(node: ConfigNode | ConfigList) -> Document:
    document = node.document
    if document is None or not _is_there(node):
        raise ConfigError(
            f"{node.place}: cannot be saved, it stands in no file: it is a copy, a directory, or was deleted"
        )
    if not document.digest:
        raise ConfigError(f"{node.place}: cannot be saved: it is temporary")
    return document


def _is_there(node: ConfigNode | ConfigList) -> bool:
    """Tell whether a node still is where it once was: what was deleted knows its place, and something else may be there."""
    here: Any = node
    while isinstance(here, ConfigNode | ConfigList):
        holder: Any = here.holder
        if here is not holder.root if isinstance(holder, Document) else all(v is not here for _, v in _members(holder)):
            return False
        here = holder
    return True


def file_below(root: Path, file: str) -> Path:
    """Return the path of a file of the configuration.

    :raises ConfigError: it would not be read from there.
    """
    path = Path(os.path.normpath(root / file))
    if (
        root not in path.parents
        or path.suffix != ".yml"
        or any(part[0] == "." for part in path.relative_to(root).parts)
    ):
        raise ConfigError(f"{file!r}: expected a file below {root} whose name ends with .yml, such as 'motors.yml'")
    return path


def with_object(text: str, data: Any) -> str:
    """Return the text of a file that has no objects yet, with one."""
    return edit(text, (), [data]).text


def checked_document(path: Path, text: str, known: Document | None, tree: Tree, objects: Objects) -> Document:
    """Return what a text would say as the text of a file.

    :param known: what the file says now.
    :raises ConfigError: it is wrong.
    """
    try:
        parsed = parse(text)
    except YamlProblem as problem:
        place = Place(str(path), problem.line, problem.column)
        raise ConfigError(f"{place}: {problem}; nothing was written") from None
    document = Document(str(path), "", _around(path, tree))
    old = known or read_document(str(path), None, "", document.around, objects)
    return _checked(old, parsed, document, tree, objects)


def _around(path: Path, tree: Tree) -> ConfigNode | None:
    for directory in path.parents:
        document = tree.documents.get(str(directory / INIT))
        if document is not None and directory / INIT != path and isinstance(document.root, ConfigNode):
            return document.root
    return None


def _check(document: Document, old: Parsed | None, new: Parsed | None, tree: Tree) -> None:
    """Refuse a text that would have errors that the old one has not: in names, keys or values."""
    objects: Objects = document.root.config
    before = read_document(document.file, old, "", document.around, objects)
    _checked(before, new, document, tree, objects)
    if Path(document.file).name == INIT:
        found = new_problems(*(_problems_of_heirs(document, tree, root) for root in (before.root, document.root)))
        if found:
            raise ConfigError("\n".join([*found, "nothing was written"]))


def _checked(old: Document, parsed: Parsed | None, like: Document, tree: Tree, objects: Objects) -> Document:
    new = read_document(like.file, parsed, "", like.around, objects)
    before, after = (register({**tree.documents, like.file: version}) for version in (old, new))
    found = new_problems(before.errors, after.errors)
    earlier, later = Survey(before, objects.path), Survey(after, objects.path)
    for entry in after.entries.values():
        if entry.node.document is not new or entry.owner or entry.node.plugin not in BY_CLASS:
            continue
        was = before.entries.get(entry.node.name)
        if was is not None and (was.node.document is not old or same(plain_form(was.node), plain_form(entry.node))):
            continue
        try:
            class_of(entry)
        except ConfigError:
            continue  # without its class nothing can be said about its keys
        found += new_problems(check_entry(was, earlier) if was is not None else [], check_entry(entry, later))
    if found:
        raise ConfigError("\n".join([*found, "nothing was written"]))
    return new


def _problems_of_heirs(document: Document, tree: Tree, root: ConfigNode | None) -> list[str]:
    """Return what is wrong in a file of defaults, if `root` is what it says, for the objects that inherit from it."""
    heirs = [entry for entry in tree.entries.values() if not entry.owner and document.root in entry.node.outwards()]
    inside = [other for other in tree.documents.values() if other.around is document.root]
    here = str(Place(document.file, 1, 1)).removesuffix("1:1")
    survey = Survey(tree, document.root.config.path)
    try:
        for other in inside:
            other.around = root
        problems = [str(problem) for entry in heirs for problem in check_entry(entry, survey)]
    finally:
        for other in inside:
            other.around = document.root
    return [problem for problem in problems if problem.startswith(here)]


def _settle(document: Document, node: ConfigNode | ConfigList, parsed: Parsed | None) -> None:
    """Let everything of a file know where it stands, after `node` was written to it."""
    _give_origins(node, node.origin or ())
    _give_places(document.root, document.file, parsed)
    document.is_edited = not same(plain_form(document.root), plain(parsed))


def _members(held: Any) -> list[tuple[Any, Any]]:
    if isinstance(held, ConfigNode):
        return list(held.written.items())
    return list(enumerate(held.written)) if isinstance(held, ConfigList) else []


def _give_origins(held: Any, origin: tuple[Any, ...]) -> None:
    if isinstance(held, ConfigNode | ConfigList):
        held.origin = origin
        for step, child in _members(held):
            _give_origins(child, (*origin, step))


def _give_places(held: Any, file: str, root: Parsed | None) -> None:
    if not isinstance(held, ConfigNode | ConfigList):
        return
    if held.origin is not None:
        line, column, value = _at(root, held.origin)
        held.place = Place(file, line, column)
        if isinstance(held, ConfigNode):
            for key, key_line, key_column, child in value["map"]:
                if key in held.written:
                    held.key_places[key] = Place(file, key_line, key_column)
                    held.value_places[key] = Place(file, child[0], child[1])
        else:
            places = [Place(file, child[0], child[1]) for child in value["seq"]]
            held.places = (places + [held.place] * len(held))[: len(held)]
    for _, child in _members(held):
        _give_places(child, file, root)


def _at(parsed: Any, path: tuple[Any, ...]) -> Parsed:
    for step in path:
        value = parsed[2]
        if "seq" in value:
            parsed = value["seq"][step]
        else:
            parsed = next(child for key, _, _, child in value["map"] if key == step)
    found: Parsed = parsed
    return found


def _copy_owner_and_mode(path: Path, descriptor: int) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        os.fchmod(descriptor, 0o666 & ~mask)
        return
    with contextlib.suppress(PermissionError):  # only root may give files away; the mode matters more
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
