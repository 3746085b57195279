"""The configuration of a beamline: every object by its name, made once, when it is first asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from bliss_like.errors import ConfigError, ObjectNotFound

from .construction import blueprint, class_of, constructed, creation_failed, item_of
from .loader import INIT, Entry, Tree, continued, load_tree, register, tags_of, tree_of_directories
from .making import FAILURES, Job, Making
from .models import ObjectConfig
from .node import ConfigList, ConfigNode, written_form
from .parsing import decoded
from .plugins import BY_CLASS, NODE, Plugins
from .references import Place
from .reloading import Changes, Made, compare, refuse_closing, written_text
from .saving import checked_document, file_below, read_unchanged, replace_file, restore, save, with_object
from .survey import Survey

_logger = logging.getLogger(__name__)

M = TypeVar("M", bound=ObjectConfig)


class Config:
    """A tree of YAML files and the objects made from it.

    Greenlets may ask at the same time: objects that do not need each other are made side by side, each of them once.

    :raises ConfigError: `path` is no directory; what is wrong inside of it is in `errors`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().resolve()
        self.aliases: Mapping[str, Any] = {}
        """Objects by other names than their own, as the session gives them."""
        self._made: dict[str, Made] = {}  # in the order in which they were ready: what was needed comes first
        self._making = Making(lambda name: self._told(self._entry(name)))
        self._broken_items: dict[str, dict[str, ConfigError]] = {}  # by container, by item
        self._plugins = Plugins()
        self._temporary = 0
        self._tree: Tree = load_tree(self.path, self)
        for error in self._tree.errors:
            _logger.error("%s", error)

    def __repr__(self) -> str:
        return f"<Config {self.path}: {len(self._tree.entries)} objects, {len(self.errors)} errors>"

    # -- what there is -----------------------------------------------------------------------------------------------------

    @property
    def names_list(self) -> list[str]:
        """Names of all objects and items, sorted."""
        return sorted(self._tree.entries)

    @property
    def user_tags_list(self) -> list[str]:
        """All words of `user_tag`, sorted."""
        return sorted({tag for entry in self._tree.entries.values() for tag in tags_of(entry)})

    @property
    def service_names_list(self) -> list[str]:
        """Names of the objects with `service: true`, sorted."""
        return sorted(name for name, entry in self._tree.entries.items() if entry.node.raw_get("service") is True)

    @property
    def beamline(self) -> str:
        """The key `beamline` of the topmost __init__.yml; empty if it has none."""
        document = self._tree.documents.get(str(self.path / INIT))
        defaults = document.root if document is not None else None
        return str(defaults.raw_get("beamline", "") or "") if isinstance(defaults, ConfigNode) else ""

    @property
    def errors(self) -> list[ConfigError]:
        """What is wrong in the files, and with the items that containers had to do without."""
        return [*self._tree.errors, *(error for items in self._broken_items.values() for error in items.values())]

    @property
    def invalid_yaml_files(self) -> dict[str, str]:
        """Files that could not be parsed, and why."""
        return self._tree.invalid_files

    @property
    def tree(self) -> Tree:
        """The files and what was found in them."""
        return self._tree

    @property
    def survey(self) -> Survey:
        """What can be told of the objects without making any."""
        return Survey(self._tree, self.path)

    @property
    def root(self) -> ConfigNode:
        """Directories and files (without `.yml`) as keys, what they say as values."""
        return tree_of_directories(self.path, self._tree, self)

    def get_config(self, name: str) -> ConfigNode:
        """Return what is written about an object, without making it.

        :raises ObjectNotFound: there is none of that name.
        """
        return self._entry(name).node

    def model_of(self, name: str, kind: type[M]) -> M:
        """Return what is written about an object as a model, without making the object.

        :raises ConfigError: there is none of that name, or what is written is wrong.
        """
        return cast(M, blueprint(self._entry(name), kind, self._tree.refused).model)

    def get_user_tag_configs(self, tag: str) -> list[ConfigNode]:
        """Return the nodes of all objects that have a tag."""
        return [entry.node for entry in self._tree.entries.values() if tag in tags_of(entry)]

    def name_of(self, made: Any) -> str:
        """Return the name under which an object is in the configuration.

        :raises ValueError: it is not.
        """
        name = made.name if isinstance(made, ConfigNode) else ""
        if name and name in self._tree.entries and self._tree.entries[name].node is made:
            return str(name)
        for name, known in self._made.items():
            if known.instance is made:
                return name
        raise ValueError(
            f"Cannot make a reference to object {made!r}: it is not in the configuration {self.path}; "
            "give plain values, or an object that config.get() returns"
        )

    # -- objects -----------------------------------------------------------------------------------------------------------

    def get(self, name: str) -> Any:
        """Return the object of that name, always the same one.

        :raises ObjectNotFound: there is none of that name.
        :raises ConfigError: what is written about it is wrong.
        :raises ReferenceCycle: it is needed to make itself.
        :raises ObjectCreationFailed: its class could not be imported, or raised.
        """
        if not isinstance(name, str):
            raise ObjectNotFound(f"config.get expects the name of an object, such as 'robx', came {name!r}")
        asking = self._making.current()
        if asking is not None:
            asking.needs.add(name)
        if name not in self._tree.entries and name in self.aliases:
            return self.aliases[name]
        while name not in self._made:
            entry = self._entry(name)
            self._making.make(name, lambda job, entry=entry: self._make(entry, job))  # type: ignore[misc]
        return self._made[name].instance

    def check(self) -> list[ConfigError]:
        """Return everything that is wrong with the files, by file and line; no object is made for that."""
        from .check import check

        return check(self._tree, self.path)

    def close_objects(self, keep: object = None) -> list[BaseException]:
        """Close and forget all objects but `keep`, the last made first; return what went wrong.

        All are closed, also when the user loses patience: the abort is raised at the end.
        """
        self._broken_items.clear()
        return self._close([name for name, made in self._made.items() if made.instance is not keep])

    def close(self) -> None:
        """Close and forget all objects."""
        self.close_objects()
        if _current.config is self:
            _current.config = None

    def _close(self, names: list[str]) -> list[BaseException]:
        """Close objects, given in the order in which they were made."""
        closing = [(name, self._made.pop(name).instance) for name in names]
        self._plugins.forget(names)
        errors: list[BaseException] = []
        abort: BaseException | None = None
        for name, made in reversed(closing):
            self._broken_items.pop(name, None)
            try:
                if hasattr(made, "__close__"):
                    made.__close__()
            except FAILURES as error:
                _logger.exception("%s: __close__ failed", name)
                errors.append(error)
            except BaseException as error:  # noqa: BLE001 - raised below
                _logger.error("%s: its __close__ was interrupted", name)
                abort = error
        if abort is not None:
            raise abort
        return errors

    def _entry(self, name: str) -> Entry:
        entry = self._tree.entries.get(name)
        if entry is None:
            raise ObjectNotFound(f"no object '{name}' in {self.path}{self._tree.why_missing(name, self._tree.entries)}")
        return entry

    def _make(self, entry: Entry, job: Job) -> None:
        plugin = entry.node.plugin
        try:
            if plugin == NODE:
                made = Made(entry.node, written_text(entry))
            elif plugin not in BY_CLASS:
                made = self._by_plugin(entry)
            elif entry.owner:
                container = self.get(entry.owner)
                broken = self._broken_items.get(entry.owner, {})
                made = Made(item_of(container, entry, broken), written_text(entry))
            else:
                made = self._object(entry)
        except ConfigError:
            raise
        except FAILURES as error:
            raise creation_failed(entry, error) from error
        made.needs |= job.needs
        self._made[job.name] = made

    def _object(self, entry: Entry) -> Made:
        name = entry.node.name
        self._broken_items.pop(name, None)
        cls = class_of(entry)
        plan = blueprint(entry, cls.Config, self._tree.refused)
        self._broken_items[name] = plan.broken
        made = constructed(cls, entry, plan.model)
        plan.model.apply_to(made)
        return Made(made, plan.text, cls.Config)

    def _by_plugin(self, entry: Entry) -> Made:
        name = entry.node.name
        objects = self._plugins.create(self, entry)
        for other, instance in objects.items():
            if other != name and other in self._tree.entries and other not in self._made:
                self._made[other] = Made(instance, written_text(self._tree.entries[other]), needs={name})
        if name in objects:
            return Made(objects[name], written_text(entry))
        made, maker = self._plugins.from_cache(self, entry)
        return Made(made, written_text(entry), needs={maker})

    def _told(self, entry: Entry) -> str:
        return f"{entry.node.place}: {entry.label}"

    # -- changing files ----------------------------------------------------------------------------------------------------

    def reload(self) -> Changes:
        """Read the files again; close the objects whose configuration, or what they need, has changed.

        A file that cannot be read now counts as unchanged, and an object whose new configuration is wrong lives on:
        `errors` of the result tells. What was set in nodes and not saved is forgotten.

        :raises ConfigError: inside `temporary()`, or while this greenlet makes an object; or an object that would be closed
            refuses it, as a motor that moves; nothing was done.
        """
        if self._temporary:
            raise ConfigError("config.reload() is not possible inside config.temporary(): leave it first")
        job = self._making.current()
        if job is not None:
            raise ConfigError(f"config.reload() is not possible while '{job.name}' is being made")
        self._making.wait()
        old = self._tree
        texts = {name: written_text(entry) for name, entry in old.entries.items() if name not in self._made}
        tree = load_tree(self.path, self, old.documents, forget_edits=True)
        comparison = compare(texts, Survey(tree, self.path), self._made)
        if comparison.closing:
            refuse_closing(
                [*comparison.closing, *(n for n, made in self._made.items() if made.survives_reload)], self._made
            )
        self._tree = continued(old, tree)
        for name, made in self._made.items():
            if made.survives_reload and name in comparison.changed:
                made.text = written_text(tree.entries[name], made.model)
        errors = [*tree.errors, *map(ConfigError, comparison.errors)]
        kept = sorted(self._made.keys() - comparison.closing)
        errors += self._close([name for name in self._made if name in comparison.closing])  # type: ignore[arg-type]
        return Changes(
            added=tuple(sorted(tree.entries.keys() - old.entries.keys())),
            removed=tuple(sorted(old.entries.keys() - tree.entries.keys())),
            changed=tuple(sorted(comparison.changed)),
            kept=tuple(kept),
            errors=tuple(errors),
        )

    def save(self, node: ConfigNode | ConfigList) -> None:
        """Write what was changed in a node to its file; `node.save()` does it.

        :raises ConfigError: the file was changed meanwhile, or what it would say is wrong; nothing is written.
        """
        if self._temporary:
            raise ConfigError(f"{node.place}: cannot be saved inside config.temporary(): leave it first")
        before = self._tree
        self._tree = register(before.documents)  # what is new in the node can be referred to
        try:
            save(node, self._tree)
        except BaseException:
            self._tree = before
            raise
        self._tree = register(before.documents)

    def restore(self, node: ConfigNode) -> None:
        """Forget what was changed in a node and not saved; `node.reload()` does it."""
        restore(node)
        self._tree = register(self._tree.documents)

    def new_node(self, file: str, content: Mapping[str, Any]) -> ConfigNode:
        """Add an object at the end of a file, which is made if it is not there, and return its node.

        Inside `temporary()` nothing is written, and the object is gone in the end.

        :param file: relative to the directory of the configuration, `motors.yml`.
        :param content: its keys, `name` among them.
        :raises ConfigError: it cannot be added, the message says why; nothing is written.
        """
        data = written_form(content, self)
        name = str(data.get("name"))
        if name in self._tree.entries:
            raise ConfigError(f"'{name}' is already there: {self._told(self._tree.entries[name])}; take another name")
        document = self._tree.documents.get(str(file_below(self.path, file)))
        if self._temporary:
            self.set_config_db_file(f"{file.removesuffix('.yml')} ({name}).yml", with_object("", data))
        elif document is None or (document.root is None and not document.failure):
            text = decoded(read_unchanged(document)) if document is not None else ""
            self.set_config_db_file(file, with_object(text, data))
        elif isinstance(document.root, ConfigList):
            document.root.append(data)
            try:
                self.save(document.root.written[-1])
            except BaseException:
                document.root.pop()
                raise
        else:
            raise ConfigError(
                f"{Place(document.file, 1, 1)}: {document.failure or 'holds keys and values'}: expected a list "
                f"('- name: ...') that '{name}' can be added to; give another file"
            )
        return self.get_config(name)

    def set_config_db_file(self, file: str, text: str) -> None:
        """Give a file of the configuration a new text; objects that live stay as they are until `reload()`.

        Inside `temporary()` nothing is written, and the file is as before in the end.

        :param file: relative to the directory of the configuration, `motors.yml`.
        :raises ConfigError: the text is wrong, or the file was changed since it was read; nothing is written.
        """
        path = file_below(self.path, file)
        known = self._tree.documents.get(str(path))
        document = checked_document(path, text, known, self._tree, self)
        if self._temporary:
            self._tree = register({**self._tree.documents, str(path): document})
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode(), known.digest if known is not None else "")
        self._tree = continued(self._tree, load_tree(self.path, self, self._tree.documents))

    @contextmanager
    def temporary(self) -> Iterator[Config]:
        """Try something: objects made inside are closed in the end, files and objects added inside are gone.

        Nothing is written to disk inside. `reload()` and `save()` have to wait.
        """
        before, documents = set(self._made), self._tree.documents
        self._temporary += 1
        try:
            yield self
        finally:
            self._temporary -= 1
            if self._making.current() is None:
                self._making.wait()
            self._tree = register(documents)
            self._close([name for name in self._made if name not in before])


class _Current:
    config: Config | None = None


_current = _Current()


def get_config(path: str | os.PathLike[str] | None = None) -> Config:
    """Return the configuration of this process.

    :param path: directory of the YAML files; by default the one in use, else `$BLISS_LIKE_CONFIG`, else `./config`.
    :raises ConfigError: there is no such directory.
    """
    used = _current.config
    if used is not None and (path is None or used.path == Path(path).expanduser().resolve()):
        return used
    _current.config = Config(path or os.environ.get("BLISS_LIKE_CONFIG") or "config")
    return _current.config


__all__ = ["FAILURES", "Changes", "Config", "get_config"]
