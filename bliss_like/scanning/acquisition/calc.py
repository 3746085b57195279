"""`bliss.scanning.acquisition.calc`: what is calculated while others acquire."""

from ..acquisitions.calc import CalcChannelAcquisitionSlave, CalcCounterAcquisitionSlave, CalcHook

__all__ = ["CalcChannelAcquisitionSlave", "CalcCounterAcquisitionSlave", "CalcHook"]
