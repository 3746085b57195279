"""Axes on motor records."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

import gevent
import pytest

from bliss_like.controllers.epics_motor import EpicsMotors
from bliss_like.controllers.record_axis import RecordAxis
from bliss_like.devices import events
from bliss_like.devices.axis_group import move
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.signal import open_signal
from bliss_like.errors import AxisFault, AxisLimitError, AxisStopped, DeviceError
from tests.iocs import Ioc
from tests.unit.devices.making import Notes, make
from tests.waiting import wait_until
