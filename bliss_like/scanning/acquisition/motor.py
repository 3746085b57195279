"""`bliss.scanning.acquisition.motor`: masters that move axes."""

from .step import LinearStepTriggerMaster, MeshStepTriggerMaster, VariableStepTriggerMaster

__all__ = ["LinearStepTriggerMaster", "MeshStepTriggerMaster", "VariableStepTriggerMaster"]
