"""Names of `bliss.controllers.lima`; cameras are in `bliss_like.controllers.camera`."""
