"""The names that users' scripts and outside programs rely on: they are where they have always been."""

from __future__ import annotations

import importlib

import pytest

NAMES = {
    "bliss_like": "current_session",
    "bliss_like.config": "Config ConfigNode get_config",
    "bliss_like.config.channels": "Channel EventChannel Cache clear_cache",
    "bliss_like.config.locks": "Lock lock unlock synchronized force_unlock is_locked lslock",
    "bliss_like.config.models": "ObjectConfig ItemConfig StrictModel Reference LazyReference",
    "bliss_like.config.settings": "SimpleSetting SimpleObjSetting QueueSetting QueueObjSetting HashSetting HashObjSetting "
    "OrderedHashSetting OrderedHashObjSetting Struct SimpleSettingProp QueueSettingProp HashSettingProp OrderedHashSettingProp "
    "ParametersWardrobe pipeline scan",
    "bliss_like.controllers.regulation": "Controller Input Output Loop SoftLoop SoftRamp ExternalInput ExternalOutput WaitMode",
    "bliss_like.controllers.regulator": "Controller",
    "bliss_like.data.events": "EventType",
    "bliss_like.data.node": "get_session_node get_node get_nodes sessions_list",
    "bliss_like.data.watch": "ScansWatcher ScansObserver",
    "bliss_like.scanning.chain": "AcquisitionChain AcquisitionMaster AcquisitionSlave AcquisitionChannel",
    "bliss_like.scanning.group": "Group Sequence ScanSequenceError",
    "bliss_like.scanning.scan": "Scan ScanState ScanPreset",
    "bliss_like.scans": "ct sct timescan loopscan ascan dscan a2scan d2scan anscan dnscan amesh dmesh lookupscan pointscan",
    "bliss_like.session": "load_session",
    "bliss_like.standard": "mv umv mvr umvr mvd umvd mvdr umvdr move wa wu wm sta stm lsmot lscnt sync rockit tweak "
    "cleanup error_cleanup",
    "bliss_like.controllers.motor": "Controller object_method",
    "bliss_like.session.measurement_group": "MeasurementGroup get_all get_all_names get_active get_active_name set_active_name",
}


@pytest.mark.parametrize("module", NAMES)
def test_public_names(module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []
