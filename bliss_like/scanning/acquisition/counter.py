"""`bliss.scanning.acquisition.counter`: how counters are acquired."""

from ..acquisitions.counting import BaseCounterAcquisitionSlave
from ..acquisitions.integrating import IntegratingCounterAcquisitionSlave
from ..acquisitions.sampling import SamplingCounterAcquisitionSlave

__all__ = ["BaseCounterAcquisitionSlave", "IntegratingCounterAcquisitionSlave", "SamplingCounterAcquisitionSlave"]
