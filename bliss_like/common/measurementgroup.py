"""`bliss.common.measurementgroup`: measurement groups, and which one is active."""

from bliss_like.session.measurement_group import (
    MeasurementGroup,
    get_active,
    get_active_name,
    get_all,
    get_all_names,
    set_active_name,
)

__all__ = ["MeasurementGroup", "get_active", "get_active_name", "get_all", "get_all_names", "set_active_name"]
