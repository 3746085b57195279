"""`bliss.scanning.acquisition.motor`: masters that move axes."""

from ..acquisitions.step import LinearStepTriggerMaster, MeshStepTriggerMaster, VariableStepTriggerMaster

__all__ = ["LinearStepTriggerMaster", "MeshStepTriggerMaster", "VariableStepTriggerMaster"]
