"""What YAML may say of saving, whatever the policy: `scan_saving` of a session, or in an `__init__.yml` above it."""

from __future__ import annotations

import os
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from bliss_like.config.models import StrictModel
from bliss_like.config.suggestion import did_you_mean
from bliss_like.writers.formats import formats, options_problem

from ..places import OF_IMAGES, TEMPLATES
from ..templates import rendered, renders

WRITER_VARIABLE = "BLISS_LIKE_WRITER"
"""Names the format of sessions that do not say one."""

DATA_VARIABLE = "BLISS_LIKE_DATA"
"""Names the base path of sessions that do not say one."""

NO_WRITER = "null"

_known_writers = {NO_WRITER, "nexus"}
"""To look for entry points takes milliseconds."""

AT_THE_PROMPT = object()
"""The context in which a model is validated when a template may use what was added to SCAN_SAVING."""

_ALWAYS = ("session", "user", "date")


def default_writer() -> str:
    return os.environ.get(WRITER_VARIABLE) or "nexus"


def default_base_path() -> str:
    return os.environ.get(DATA_VARIABLE) or "~/bliss_like_data"


def writer_problem(name: str) -> str:
    """Return why there is no such format; empty when there is."""
    if name in _known_writers:
        return ""
    known = formats()
    if name in known:
        _known_writers.add(name)
        return ""
    hint = ", BLISS' 'hdf5' is 'nexus' here" if name == "hdf5" else did_you_mean(name, known)
    return f"expected one of {', '.join(known)}, came {name!r}{hint}"


class SavingConfig(StrictModel):
    """The keys that every policy has.

    :param policy: who says where files go.
    :param writer: the format of files; null: nothing is written but images, by their cameras.
    :param writer_options: what the format is told, e.g. `compression`.
    :param template: directory below the base path; `{session}`, `{user}`, `{date}` and attributes that were added are
        replaced, here and in the other templates.
    :param data_filename: the file in it, without its extension.
    :param images_path_template: directory below it, for the images that a detector saves in a scan; `{scan_number}` and
        `{img_acq_device}` are replaced too.
    :param images_prefix: what the names of their files begin with.
    :param directory_mode: permissions of directories that are made, in octal: "2770"; by default as the umask says.
    :param min_free_mb: a scan is refused that finds less room on the disk.
    :param warn_free_mb: and it warns of less than that.
    """

    template_names: ClassVar[tuple[str, ...]] = ()
    """What templates may name beside the keys."""

    policy: str
    writer: Annotated[str, WithJsonSchema({"type": ["string", "null"]})] = Field(default_factory=default_writer)
    writer_options: dict[str, Any] = Field(default_factory=dict)
    template: str = "{session}/"
    data_filename: str = "data"
    images_path_template: str = "scan{scan_number}"
    images_prefix: str = "{img_acq_device}_"
    date_format: str = "%Y%m%d"
    scan_number_format: str = "%04d"
    directory_mode: str = ""
    min_free_mb: float = Field(default=200, ge=0)
    warn_free_mb: float = Field(default=1000, ge=0)

    @field_validator("writer", mode="before")
    @classmethod
    def _known_writer(cls, writer: object) -> object:
        writer = NO_WRITER if writer is None else writer
        problem = writer_problem(writer) if isinstance(writer, str) else ""
        if problem:
            raise ValueError(problem)
        return writer

    @field_validator("writer_options")
    @classmethod
    def _known_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if problem := options_problem(info.data.get("writer", NO_WRITER), options):
            raise ValueError(problem)
        return options

    @field_validator(*TEMPLATES)
    @classmethod
    def _renders(cls, template: str, info: ValidationInfo) -> str:
        if info.context is AT_THE_PROMPT:
            return template
        of_images = OF_IMAGES if str(info.field_name).startswith("images") else ()
        known = dict.fromkeys([*_ALWAYS, *cls.template_names, *cls.model_fields])
        known.pop(str(info.field_name), None)
        return renders(template, (*known, *of_images))

    @field_validator("scan_number_format")
    @classmethod
    def _formats(cls, written: str) -> str:
        try:
            fits = int(written % 12) == 12
        except (TypeError, ValueError):
            fits = False
        if not fits:
            raise ValueError(f"expected a format of a whole number, as in %04d, came {written!r}")
        return written

    @field_validator("directory_mode")
    @classmethod
    def _octal(cls, mode: str) -> str:
        digits = mode.removeprefix("0o")
        if mode and not (3 <= len(digits) <= 4 and set(digits) <= set("01234567") and digits[-3] == "7"):
            raise ValueError(f"expected permissions in octal that let their owner in, such as '2770', came {mode!r}")
        return digits

    @model_validator(mode="after")
    def _no_circle(self, info: ValidationInfo) -> Self:
        if info.context is not AT_THE_PROMPT:
            known = {**dict.fromkeys((*_ALWAYS, *self.template_names, *OF_IMAGES), "x" * 80), **dict(self)}
            for key in TEMPLATES:
                rendered(known[key], known)
        return self


def absolute(path: str) -> str:
    """:raises ValueError: it is no absolute path."""
    if not os.path.isabs(os.path.expanduser(path)):
        raise ValueError(f"expected an absolute path, came {path!r}")
    return path
