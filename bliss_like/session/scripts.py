"""Scripts of a session: those of the beamline, that join its names, and those of its users, that stay apart from them.

::

    load_script("alignment")             # scripts/alignment.py beside the session's file
    user_script_homedir("/data/me/scripts")
    user_script_load("my_scans")         # user.my_scan(), user.other()
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bliss_like.config.config import FAILURES
from bliss_like.config.references import relative
from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import ConfigError, ScriptError, SessionError

from .failures import place_of_caller, script_error
from .protection import Names

if TYPE_CHECKING:
    from bliss_like.config.settings import SimpleSetting

    from .session import Session

FUNCTIONS = ("load_script", "user_script_homedir", "user_script_list", "user_script_load", "user_script_run")

DEFAULT_HOMEDIR = "~/user_scripts"


class ScriptNames(list[str]):
    """Names of scripts and where they are; shown one in a line."""

    def __init__(self, names: Iterable[str], directory: Path) -> None:
        super().__init__(names)
        self.directory = directory

    def __info__(self) -> str:
        return "\n".join(
            [f"{'Scripts' if self else 'No scripts'} in {self.directory}", *(f"  {name}" for name in self)]
        )


class UserNames:
    """`user`: what the scripts of users define."""

    def __repr__(self) -> str:
        return f"<what user scripts have defined: {', '.join(vars(self)) or 'nothing'}>"


class Scripts:
    """The functions of a session that run scripts.

    :param on_error: called with what a setup file raises, or a script that it loads; returns whether it took care of it.
    """

    def __init__(self, session: Session, on_error: Callable[[BaseException], bool]) -> None:
        self._session = session
        self._on_error = on_error
        self._owner = session
        """The session whose setup file runs; its scripts come first."""
        self._loaded: dict[Path, _Loaded] = {}

    def functions(self) -> dict[str, Any]:
        """Return what a session offers under these names."""
        return {name: getattr(self, name) for name in FUNCTIONS}

    def known(self, function: str) -> list[str]:
        """Return the names of scripts that one of the functions would find."""
        directories = (
            self._script_directories(None) if function == "load_script" else [Path(self.user_script_homedir())]
        )
        return sorted({name for directory in directories for name in _scripts_in(directory)})

    def run_setup_files(self, sessions: Iterable[Session]) -> None:
        """Run the setup files of sessions; whatever one raises is handed to `on_error`, and the next one runs."""
        for self._owner in sessions:
            try:
                if path := self._owner.written.setup_path(self._session.config):
                    run_file(path, self._session.names)
            except (ConfigError, ScriptError) as error:
                self._on_error(error)
            finally:
                self._owner = self._session

    # -- scripts of the beamline -----------------------------------------------------------------------------------------

    def load_script(self, script_name: str, session: str | Session | None = None) -> bool:
        """Run a script of the session among its names; what it defines joins them.

        :param script_name: of a file in the directory `scripts` beside the session's YAML or setup file.
        :param session: whose scripts to look at; by default this one's and those that it includes.
        :return: True; False when the script failed while a setup file ran it: the setup goes on, and reports it at its end.
        :raises ScriptError: it failed; there is none of that name.
        """
        return self._tried(lambda: run_file(_find(script_name, self._script_directories(session)), self._session.names))

    def _tried(self, call: Callable[[], object]) -> bool:
        """Make a call; return whether it went well, or had its error taken care of by the setup of the session."""
        try:
            call()
        except ScriptError as error:
            if self._on_error(error):
                return False
            raise
        return True

    def _script_directories(self, session: str | Session | None) -> list[Path]:
        if session is None:
            owners = [self._owner, *reversed(list(self._session.sessions_tree))]
        else:
            owners = [session if not isinstance(session, str) else self._other(session)]
        return list(
            dict.fromkeys(
                path / "scripts" for owner in owners for path in owner.written.directories(self._session.config)
            )
        )

    def _other(self, name: str) -> Session:
        from .loading import load_session

        return load_session(name, self._session.config)

    # -- scripts of users ------------------------------------------------------------------------------------------------

    def user_script_homedir(self, new_dir: str | os.PathLike[str] | None = None, reset: bool = False) -> str:
        """Return the directory of user scripts; set it first, for good, if asked to.

        :param reset: go back to `default-userscript-dir` of the session, or to `~/user_scripts`.
        :raises SessionError: `new_dir` is no directory.
        """
        setting = self._homedir_setting()
        if reset:
            setting.clear()
        elif new_dir is not None:
            path = Path(new_dir).expanduser()
            if not (path.is_absolute() and path.is_dir()):
                raise SessionError(
                    f"user_script_homedir: expected an absolute directory that exists, came {str(new_dir)!r}"
                )
            setting.set(str(path))
        return str(Path(setting.get()).expanduser())

    def _homedir_setting(self) -> SimpleSetting:
        from bliss_like.config.settings import SimpleSetting

        default = self._session.written.default_userscript_dir or DEFAULT_HOMEDIR
        return SimpleSetting(f"{self._session.settings_name}:user_script_homedir", default_value=default)

    def user_script_list(self) -> ScriptNames:
        """Return the names of the scripts in the user's directory and below it."""
        directory = Path(self.user_script_homedir())
        return ScriptNames(_scripts_in(directory), directory)

    def user_script_load(self, scriptname: str | None = None, export_global: str | bool = "user") -> Any:
        """Run a user's script, afresh each time, and offer what it defines.

        :param scriptname: without one, the list of scripts is returned.
        :param export_global: "user": as `user.name` (or another word instead); True: as names of the session; False: as
            attributes of what is returned.
        :raises ScriptError: it failed, and nothing of it is offered; there is none of that name. A setup file goes on, as
            after `load_script`.
        """
        if scriptname is None:
            return self.user_script_list()
        if isinstance(export_global, str) and not export_global.isidentifier():
            raise SessionError(
                f"user_script_load: export_global: expected a name, True or False, came {export_global!r}"
            )
        apart = UserNames()
        self._tried(lambda: self._load(scriptname, export_global, apart))
        return apart if export_global is False else None

    def _load(self, name: str, export_global: str | bool, apart: UserNames) -> None:
        path = _find(name, [Path(self.user_script_homedir())])
        script = _Loaded(path, self._session.names)
        former, self._loaded[path] = self._loaded.get(path), script
        if export_global is True:
            self._session.names.update(script.defined)
        elif export_global is False:
            vars(apart).update(script.defined)
        else:
            self._offer(export_global, script, former)

    def _offer(self, word: str, script: _Loaded, former: _Loaded | None) -> None:
        names = self._session.names
        if not isinstance(names.get(word), UserNames):
            if word in names.given:
                names[word] = UserNames()  # refused
            names.give({word: UserNames()})
        offered = vars(names[word])
        for name, value in (former.defined if former else {}).items():
            if name in offered and offered[name] is value:
                del offered[name]
        offered.update(script.defined)

    def user_script_run(self, scriptname: str) -> None:
        """Run a user's script; what it defines is forgotten.

        :raises ScriptError: it failed; there is none of that name.
        """
        directory = Path(self.user_script_homedir())
        self._tried(lambda: _Loaded(_find(scriptname, [directory]), self._session.names))

    def refresh(self, given: Mapping[str, Any]) -> None:
        """Let the functions of user scripts see the objects that are new after a resetup."""
        for script in self._loaded.values():
            script.refresh(given)


class _Loaded:
    """A user's script that has run among names of its own, that begin with those of the session."""

    def __init__(self, path: Path, names: Names) -> None:
        self._names = names.copy()
        self._given = dict(names.given)
        run_file(path, self._names)
        before = {**names.namespace}
        for name in self._names.assigned - names.given.keys():
            before.pop(name, None)
        self.defined = {
            name: value
            for name, value in self._names.items()
            if not name.startswith("__") and (name not in before or before[name] is not value)
        }

    def refresh(self, given: Mapping[str, Any]) -> None:
        mine = self._names.namespace
        for name, old in self._given.items():
            if mine.get(name) is old:
                del mine[name]
        mine.update({name: value for name, value in given.items() if name not in self.defined})
        self._given = dict(given)


def run_file(path: Path, names: Names) -> None:
    """Run a file among names, to its end or to where it leaves with `sys.exit()`.

    :raises ScriptError: whatever it raised, or that it cannot be read, or that it exits with something else than 0.
    """
    outer = names.namespace.get("__file__")
    try:
        code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
        names.namespace["__file__"] = str(path)
        names.run(code)
    except ScriptError:  # of a script that this one has loaded
        raise
    except SystemExit as error:  # ends the script, not the session
        if error.code:
            raise script_error(str(path), error) from error
    except FAILURES as error:
        raise script_error(str(path), error) from error
    finally:
        names.namespace.pop("__file__", None)
        if outer is not None:
            names.namespace["__file__"] = outer


def _find(name: str, directories: list[Path]) -> Path:
    """Return the file of a script, whose name may be written without `.py`.

    :raises ScriptError: there is none.
    """
    if not isinstance(name, str):
        raise ScriptError(f"expected the name of a script, came {name!r}")
    written = name if name.endswith(".py") else f"{name}.py"
    for directory in directories:
        path = Path(os.path.normpath(directory / Path(written).expanduser()))
        if path.is_file():
            return path
    known = sorted({found for directory in directories for found in _scripts_in(directory)})
    looked = ", ".join(relative(str(directory)) for directory in directories) or "no directory"
    raise ScriptError(f"{place_of_caller()}no script {name!r}{did_you_mean(name, known)}; looked in {looked}")


def _scripts_in(directory: Path) -> list[str]:
    found = (path.relative_to(directory) for path in directory.glob("**/*.py"))
    return sorted(str(path.with_suffix("")) for path in found if not any(part.startswith(".") for part in path.parts))
