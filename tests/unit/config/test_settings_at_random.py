"""Settings behave as a value, a list and dicts of Python, whatever is done to them in whatever order."""

from __future__ import annotations

from hypothesis import settings

from tests.unit.config.setting_models import Settings

TestSettingsInMemory = Settings.TestCase
TestSettingsInMemory.settings = settings(stateful_step_count=30)
