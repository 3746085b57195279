"""The names that users' scripts and outside programs rely on: they are where they have always been."""

from __future__ import annotations

import importlib

import pytest

NAMES = {
    "bliss_like": "current_session",
    "bliss_like.comm.util": "get_comm TCP",
    "bliss_like.common.axis": "Axis AxisState AxisFaultError AxisOffError AxisOnLimitError CalcAxis Motion Trajectory "
    "CyclicTrajectory check_limits",
    "bliss_like.common.cleanup": "cleanup error_cleanup axis",
    "bliss_like.common.closed_loop": "ClosedLoop ClosedLoopState",
    "bliss_like.common.counter": "Counter SamplingCounter IntegratingCounter SoftCounter SamplingMode",
    "bliss_like.common.encoder": "Encoder",
    "bliss_like.common.event": "connect disconnect send",
    "bliss_like.common.hook": "MotionHook",
    "bliss_like.common.motor_group": "Group TrajectoryGroup",
    "bliss_like.common.protocols": "HasMetadataForScan HasMetadataForScanExclusive HasMetadataForDataset",
    "bliss_like.common.logtools": "log_debug log_exception user_print user_info user_warning elog_print elog_info elog_error get_logger "
    "lslog lsdebug debugon debugoff",
    "bliss_like.common.plot": "plot plotselect plotinit meshselect get_plotted_counters get_next_plotted_counters",
    "bliss_like.common.shutter": "BaseShutter BaseShutterState",
    "bliss_like.common.soft_axis": "SoftAxis",
    "bliss_like.common.standard": "mv umv wa ascan ct SoftAxis SoftCounter",
    "bliss_like.config": "Config ConfigNode get_config",
    "bliss_like.config.channels": "Channel EventChannel Cache clear_cache",
    "bliss_like.config.locks": "Lock lock unlock synchronized force_unlock is_locked lslock",
    "bliss_like.config.models": "ObjectConfig ItemConfig StrictModel Reference LazyReference",
    "bliss_like.config.settings": "SimpleSetting SimpleObjSetting QueueSetting QueueObjSetting HashSetting HashObjSetting "
    "OrderedHashSetting OrderedHashObjSetting Struct SimpleSettingProp QueueSettingProp HashSettingProp OrderedHashSettingProp "
    "ParametersWardrobe pipeline scan",
    "bliss_like.common.user_status_info": "set_user_status_message remove_user_status_message status_message",
    "bliss_like.common.utils": "object_method autocomplete_property",
    "bliss_like.controllers.counter": "CounterController SamplingCounterController IntegratingCounterController "
    "counter_namespace",
    "bliss_like.controllers.mca": "BaseMCA PresetMode TriggerMode AcquisitionMode DetectorType Brand Stats",
    "bliss_like.controllers.regulation": "Controller Input Output Loop SoftLoop SoftRamp ExternalInput ExternalOutput WaitMode",
    "bliss_like.controllers.regulator": "Controller",
    "bliss_like.controllers.motor": "Controller CalcController object_method",
    "bliss_like.data.events": "EventType",
    "bliss_like.data.scan_info": "SCHEMA_VERSION ScanInfoKeys merged",
    "bliss_like.data.scan_info_schema": "misfit scan_info_schema",
    "bliss_like.data.node": "get_session_node get_node get_nodes sessions_list",
    "bliss_like.data.watch": "ScansWatcher ScansObserver",
    "bliss_like.devices.axis": "Axis AxisConfig AxisState Motion check_limits",
    "bliss_like.devices.axis_group": "AxisGroup move",
    "bliss_like.devices.calc_axis": "CalcAxis CalcController",
    "bliss_like.devices.calc_config": "CalcAxisConfig CalcControllerConfig",
    "bliss_like.devices.encoder": "Encoder EncoderConfig",
    "bliss_like.devices.events": "AxisEvent ShutterEvent connect disconnect",
    "bliss_like.devices.motion_hook": "MotionHook",
    "bliss_like.devices.motion_line": "request_stop",
    "bliss_like.devices.motor_controller": "MotorController MotorControllerConfig",
    "bliss_like.devices.soft_axis": "SoftAxis",
    "bliss_like.devices.trajectory": "PVT Trajectory CyclicTrajectory TrajectoryGroup trajectory_of",
    "bliss_like.live": "BestEffort LiveCallback LiveFit LivePlot LiveProgress LiveScan LiveStats LiveTable LiveTree feed fit follow",
    "bliss_like.scanning.chain": "AcquisitionChain AcquisitionMaster AcquisitionSlave AcquisitionChannel "
    "AcquisitionObject ChainNode ChainPreset ChainIterationPreset TRIGGER_MODE_ENUM META_TIMING",
    "bliss_like.scanning.acquisition.counter": "SamplingCounterAcquisitionSlave IntegratingCounterAcquisitionSlave "
    "BaseCounterAcquisitionSlave",
    "bliss_like.scanning.acquisition.motor": "VariableStepTriggerMaster LinearStepTriggerMaster MeshStepTriggerMaster",
    "bliss_like.scanning.acquisition.timer": "SoftwareTimerMaster",
    "bliss_like.scanning.toolbox": "ChainBuilder DefaultAcquisitionChain",
    "bliss_like.scanning.group": "Group Sequence ScanSequenceError",
    "bliss_like.scanning.monitoring": "start_monitoring stop_monitoring stop_all_monitoring MONITORING_SCANS",
    "bliss_like.scanning.scan_meta": "get_user_scan_meta META_TIMING ScanMeta",
    "bliss_like.data.scan_math": "peak trough com cen fwhm edge",
    "bliss_like.scanning.scan_math": "peak trough com cen fwhm edge",
    "bliss_like.scanning.scan_tools": "cen com peak trough fwhm find_position goto_cen goto_com goto_peak goto_min goto_custom",
    "bliss_like.scanning.scan": "Scan ScanState ScanPreset",
    "bliss_like.common.scans": "ct ascan d5scan a3mesh anmesh lookupscan",
    "bliss_like.scans": "ct sct timescan loopscan ascan dscan a2scan a3scan a4scan a5scan d2scan d3scan d4scan d5scan anscan "
    "dnscan amesh dmesh a3mesh d3mesh anmesh dnmesh lookupscan pointscan aspiral dspiral aspiral_square dspiral_square "
    "aspiral_fermat dspiral_fermat",
    "bliss_like.session": "load_session",
    "bliss_like.standard": "mv umv mvr umvr mvd umvd mvdr umvdr move wa wu wm sta stm lsmot lscnt sync rockit tweak "
    "cleanup error_cleanup",
    "bliss_like.session.measurement_group": "MeasurementGroup get_all get_all_names get_active get_active_name set_active_name",
}


@pytest.mark.parametrize("module", NAMES)
def test_public_names(module: str) -> None:
    found = importlib.import_module(module)
    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


AXIS = (
    "position dial offset sign limits low_limit high_limit dial_limits config_limits velocity acceleration acctime "
    "jog_velocity jog_acctime velocity_limits velocity_low_limit velocity_high_limit config_velocity config_acceleration "
    "config_acctime config_jog_velocity config_velocity_limits backlash steps_per_unit encoder "
    "measured_position dial_measured_position state hw_state is_moving disabled disable enable on off move rmove stop "
    "wait_move jog home hw_limit sync_hard apply_config settings_to_config get_motion dial2user user2dial has_tag "
    "_set_position _hw_position"
)
"""What scripts of BLISS use of an axis."""

HOOK = "init pre_move post_move pre_scan post_scan"


def test_what_an_axis_has() -> None:
    from bliss_like.common.axis import Axis
    from bliss_like.common.hook import MotionHook

    assert [name for name in AXIS.split() if not hasattr(Axis, name)] == []
    assert [name for name in HOOK.split() if not hasattr(MotionHook, name)] == []
