"""`bliss.scanning.acquisition.counter`: how counters are acquired."""

from .counting import BaseCounterAcquisitionSlave
from .integrating import IntegratingCounterAcquisitionSlave
from .sampling import SamplingCounterAcquisitionSlave

__all__ = ["BaseCounterAcquisitionSlave", "IntegratingCounterAcquisitionSlave", "SamplingCounterAcquisitionSlave"]
