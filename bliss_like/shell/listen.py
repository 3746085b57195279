"""`bliss-like listen`: print the events of a session, from any process, as they come."""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Iterator
from typing import Any

from bliss_like.data.events import EventType
from bliss_like.data.node import get_session_node


class Start(enum.Enum):
    """From where on events are printed."""

    BEGINNING = "beginning"
    LAST_SCAN = "last scan"
    NOW = "now"
