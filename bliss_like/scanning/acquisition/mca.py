"""`bliss.scanning.acquisition.mca`: how multichannel analysers are acquired."""

from ..acquisitions.mca import McaAcquisitionSlave

__all__ = ["McaAcquisitionSlave"]
