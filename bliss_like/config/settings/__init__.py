"""What processes of a beamline share and what survives a restart: typed values under names, in the session's server.

    from bliss_like.config.settings import SimpleSetting

    offset = SimpleSetting("robx:offset", default_value=0.0)
    offset += 0.5

Needs neither YAML nor devices nor gevent. The names are those of BLISS; as values keep their types, the variants for objects
are the same classes.
"""

from __future__ import annotations

from .base import BaseSetting, Pipeline, default_store, pipeline, scan, use_store
from .hash import HashSetting, OrderedHashSetting
from .properties import ObjectSettings, property_setting, push_settings
from .queue import QueueSetting
from .simple import SimpleSetting
from .struct import HashSettingProp, OrderedHashSettingProp, QueueSettingProp, SimpleSettingProp, Struct
from .wardrobe import ParametersWardrobe

SimpleObjSetting = SimpleSetting
QueueObjSetting = QueueSetting
HashObjSetting = HashSetting
OrderedHashObjSetting = OrderedHashSetting
SimpleObjSettingProp = SimpleSettingProp
QueueObjSettingProp = QueueSettingProp
HashObjSettingProp = HashSettingProp
OrderedHashObjSettingProp = OrderedHashSettingProp

__all__ = [
    "BaseSetting",
    "HashObjSetting",
    "HashObjSettingProp",
    "HashSetting",
    "HashSettingProp",
    "ObjectSettings",
    "OrderedHashObjSetting",
    "OrderedHashObjSettingProp",
    "OrderedHashSetting",
    "OrderedHashSettingProp",
    "ParametersWardrobe",
    "Pipeline",
    "QueueObjSetting",
    "QueueObjSettingProp",
    "QueueSetting",
    "QueueSettingProp",
    "SimpleObjSetting",
    "SimpleObjSettingProp",
    "SimpleSetting",
    "SimpleSettingProp",
    "Struct",
    "default_store",
    "pipeline",
    "property_setting",
    "push_settings",
    "scan",
    "use_store",
]
