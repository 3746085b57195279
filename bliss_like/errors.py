"""Every exception that bliss_like raises on purpose.

An error names the object, what was expected, what came, and the way out. `except BlissLikeError` catches all of them
but `UserAbort`, which is no `Exception` so that `except Exception` in a user's macro lets it pass.
"""

from __future__ import annotations

from collections.abc import Sequence


class BlissLikeError(Exception):
    """Base class of everything raised on purpose."""


class UserAbort(BaseException):
    """The user stopped the running command.

    Used instead of KeyboardInterrupt inside greenlets, because gevent rethrows that one into the main greenlet, and
    instead of GreenletExit, because `Greenlet.get()` returns that one as a value.
    """


class Cancelled(UserAbort):
    """A question was left without an answer, with Escape: what asked it ends, unless it catches this."""


# -- configuration and session ---------------------------------------------------------------------------------------


class ConfigError(BlissLikeError):
    """The YAML tree is wrong; the message starts with `file:line:`, and `place` is (file, line, column) where it is known."""

    place: tuple[str, int, int] | None = None


class ObjectNotFound(ConfigError, KeyError):
    """No object of that name is in the configuration."""

    def __str__(self) -> str:  # KeyError would print the repr of the message
        return str(self.args[0]) if self.args else ""


class MissingKey(ConfigError, KeyError):
    """A driver asked its configuration for a key that is not there."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ObjectCreationFailed(ConfigError):
    """An object of the configuration could not be made; `__cause__` is its own exception."""


class ReferenceCycle(ConfigError):
    """Objects of the configuration need each other to be made; the message shows the circle."""


class SessionError(BlissLikeError):
    """A session cannot do what was asked in its present state."""


class ProtectedName(SessionError, RuntimeError):
    """A name of the session was to be given to something else, or deleted; nothing was changed."""


class ScriptError(SessionError, RuntimeError):
    """A setup file or a script failed; the message starts with `file:line:`, `__cause__` is what it raised."""


# -- devices -----------------------------------------------------------------------------------------------------------


class DeviceError(BlissLikeError):
    """A device refused, failed or did not answer."""


class NotConnectedError(DeviceError):
    """A device or process variable cannot be reached."""


class AxisLimitError(DeviceError, ValueError):
    """A target is outside the limits of an axis; nothing was moved."""


class AxisFault(DeviceError, RuntimeError):
    """An axis is not ready to move, or failed while moving."""


class AxisOnLimitError(AxisFault):
    """A limit switch ended a motion."""


class AxisOffError(AxisFault):
    """An axis has no power."""


class AxisDiscrepancy(AxisFault):
    """An axis is not where it was left: somebody else has moved it, or its hardware has forgotten where it is."""

    offer = ""
    """A command that is a way out."""


class AxisDisabled(AxisFault):
    """An axis was taken out of use, or its hardware could not be set up."""


class AxisStopped(AxisFault):
    """An axis was stopped on its way while somebody waited for its arrival."""


class CalculationError(DeviceError, RuntimeError):
    """The calculation of a counter failed, or returned something else than its points."""


class RegulationFault(DeviceError, RuntimeError):
    """A loop did not settle at its setpoint, or nobody regulates it."""


class AlreadyLockedDevices(DeviceError):
    """Devices are locked or driven by somebody else; the message says by whom. Nothing was done."""

    holders: Sequence[object] = ()
    """Who they are, each with `name`, `session`, `process`, `since`, `purpose`."""


class UsageError(BlissLikeError, TypeError, ValueError):
    """A command was called with wrong arguments, the message says which; nothing was moved."""


# -- scans -------------------------------------------------------------------------------------------------------------


class ScanError(BlissLikeError, RuntimeError):
    """A scan cannot be built or run as asked."""


class ChainError(ScanError):
    """The acquisition chain is not a valid tree, or was triggered when it was not ready."""


class ChannelValueError(BlissLikeError, ValueError):
    """Values do not fit the declared dtype or shape of a channel."""


class ScanSequenceError(ScanError):
    """A sequence or a group of scans was used wrongly."""


class ScanUsageError(UsageError):
    """A scan command was called with wrong arguments; nothing was moved."""


# -- data --------------------------------------------------------------------------------------------------------------


class DataError(BlissLikeError):
    """Something is wrong with the published data or its store."""


class StoreUnavailable(DataError, ConnectionError):
    """The Redis server cannot be reached; the message says how to start one."""


class PublishError(DataError, RuntimeError):
    """Points could not be stored within the set time; what was stored stays readable."""


class FileLostError(BlissLikeError):
    """A file that was being written was deleted, or another one has its place: what was in it is to be written anew."""


class SavingError(DataError, RuntimeError):
    """A scan cannot be saved, or was not: no writer, no room, no permission, something in the way. What it has published is
    still in the store, and the message says how to save it from there."""


class ExportError(DataError, RuntimeError):
    """A scan cannot be written in a format, or not to where it was asked; nothing was left there."""


class ExportWarning(UserWarning):
    """Something of a scan is not in what was exported, as the format cannot hold it or as it is no more there."""


class CatalogueError(DataError):
    """The catalogue of past scans cannot be read or written, or was asked for something that is not in it."""


class BrokenCatalogue(CatalogueError):
    """An index of scans is damaged, or of another version; it can be made again from the files."""


class ForeignKeyError(DataError):
    """A key that is not ours stands where a node should be."""


class NodeNotFound(DataError, KeyError):
    """No node of that name is in the store, nor in a file that is known."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class PointNotYetThere(DataError, IndexError):
    """The point is still to come."""


class PointWontBeThere(DataError, IndexError):
    """The channel is sealed and shorter than that."""


class PointExpired(DataError, IndexError):
    """The point was there and is no more in the store, nor in a file that is known."""
