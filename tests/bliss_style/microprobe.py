"""A night at a microprobe as a user of BLISS has it: centres the beam, finds the grain on a map, looks closely, hands over."""
# ruff: noqa: F403, F405

import gevent
import numpy
from bliss import current_session
from bliss.common.cleanup import axis as restore
from bliss.common.cleanup import error_cleanup
from bliss.common.counter import SamplingMode, SoftCounter
from bliss.common.measurementgroup import get_active_name
from bliss.common.plot import plotselect
from bliss.common.scans import DEFAULT_CHAIN, amesh, ct, dmesh, dscan, lineup, loopscan, sct, timescan
from bliss.common.standard import *
from bliss.config.static import get_config
from bliss.controllers.lima.roi import ArcRoi, Roi
from bliss.scanning.chain import AcquisitionChannel, ChainIterationPreset, ChainPreset
from bliss.scanning.group import Group, Sequence
from bliss.scanning.monitoring import start_monitoring, stop_monitoring
from bliss.scanning.scan import ScanAbort, ScanPreset, ScanState
from bliss.scanning.scan_tools import cen, com, fwhm, goto_cen
from bliss.setup_globals import *

COUNT_TIME = 0.001


class OpenShutter(ScanPreset):
    """Opens the shutter for a scan, and keeps an eye on the beam."""

    def __init__(self, shutter, counter):
        super().__init__()
        self.shutter = shutter
        self.counter = counter
        self.seen = []

    def prepare(self, scan):
        self.connect_data_channels([self.counter], self.on_data)

    def on_data(self, counter, channel_name, data):
        self.seen.extend(numpy.atleast_1d(data))

    def start(self, scan):
        self.shutter.open()

    def stop(self, scan):
        self.shutter.close()


class PointCounter(ChainPreset):
    """Counts the points of all scans."""

    class Iterator(ChainIterationPreset):
        def __init__(self, preset):
            self.preset = preset

        def start(self):
            self.preset.points += 1

    def __init__(self):
        self.points = 0

    def get_iterator(self, chain):
        while True:
            yield PointCounter.Iterator(self)


class Sample:
    def __init__(self):
        self.temperature = 80.0

    def heat(self, kelvin):
        self.temperature += kelvin


sample = Sample()
temperature = SoftCounter(sample, "temperature", name="temperature", unit="K", mode=SamplingMode.SINGLE)
points = PointCounter()


def setup_detectors():
    mca.rois.clear()
    mca.rois.set("Fe", 620, 660)
    mca.rois.set("Ca", 350, 390)
    cam.roi_counters.clear()
    cam.roi_counters["spot"] = 24, 24, 16, 16
    cam.roi_counters["corner"] = Roi(0, 0, 8, 8)
    cam.roi_counters["ring"] = ArcRoi(32, 32, 16, 24, 0, 360)
    cam.saving.mode = "NOSAVING"
    settings = [
        {"device": cam, "acquisition_settings": {"acq_expo_time": COUNT_TIME / 2}},
        {"device": mon.controller, "acquisition_settings": {"count_time": COUNT_TIME / 2}},
    ]
    DEFAULT_CHAIN.set_settings(settings)
    DEFAULT_CHAIN.add_preset(points)


def centre(motor, half_width, counter):
    """Scan over the beam and go there, twice, the second time finer."""
    plotselect(counter)
    with error_cleanup(motor, restore_list=(restore.POS, restore.VEL)):
        for width in (half_width, half_width / 4):
            scan = dscan(motor, -width, width, 40, COUNT_TIME, counter, mon)
            goto_cen()
    data = scan.get_data()
    highest = data[motor][data[counter.name].argmax()]
    if abs(highest - motor.position) > fwhm():
        raise RuntimeError("not on the beam")
    return {"cen": cen(), "com": com(counter), "fwhm": scan.fwhm(counter), "peak": scan.peak(counter, motor)}


def map_grain():
    """Map iron, go to where most of it is."""
    counters = mca, cam.roi_counters, diode
    scan = amesh(sy, -1, 1, 10, sz, -0.75, 0.75, 6, COUNT_TIME, *counters, backnforth=True, title="map of iron")
    iron = scan.get_data("*Fe_det0") / scan.get_data(diode)
    best = iron.argmax()
    umv(sy, scan.get_data(sy)[best], sz, scan.get_data("sz")[best])
    return scan


def look_closely(repeat):
    """Scans and maps around the grain, in a sequence that says where it found it."""
    counter = mca.counters.Fe_det0
    shutter = OpenShutter(fsh, counter)
    seq = Sequence(title="grain", scan_info={"sequence_info": {"scan_count": 3 * repeat}})
    seq.add_custom_channel(AcquisitionChannel("centre", float, (2,)))
    with seq.sequence_context() as scan_seq:
        for _ in range(repeat):
            found = []
            for motor in (sy, sz):
                scan = dscan(motor, -0.6, 0.6, 15, 4 * COUNT_TIME, counter, temperature, run=False)
                scan.add_preset(shutter)
                scan_seq.add_and_run(scan)
                found.append(scan.com(counter))
                scan.goto_com(counter)
            seq.custom_channels["centre"].emit([found])
            sample.heat(5)
            mesh = dmesh(sy, -0.2, 0.2, 2, sz, -0.2, 0.2, 2, COUNT_TIME, counter, cam, run=False)
            scan_seq.add_and_run(mesh)
            assert mesh.state == ScanState.DONE
    return seq, shutter.seen


def count_group():
    """Only the counters of the active group that are wanted."""
    ACTIVE_MG.disable("*")
    ACTIVE_MG.enable("diode", "*_counter")
    try:
        scan = loopscan(3, COUNT_TIME)
    finally:
        ACTIVE_MG.enable("*")
    return sorted(scan.get_data())


def drift():
    """A scan that the user breaks off."""
    scan = timescan(COUNT_TIME, diode, run=False)
    task = gevent.spawn(scan.run)
    scan.wait_state(ScanState.STARTING)
    scan.abort()
    try:
        task.get()
    except ScanAbort:
        return scan.state == ScanState.USER_ABORTED
    return False


def night():
    print("session", current_session.name, "counts with", get_active_name())
    setup_detectors()
    start_monitoring("ring", COUNT_TIME, mon, sleep_time=0.02)
    try:
        beam.mode = SamplingMode.SINGLE
        found = centre(sx, 3, beam)
        diode.mode = "STATS"
        grain_map = map_grain()
        diode.mode = SamplingMode.MEAN
        seq, seen = look_closely(2)
        lineup(sx, -0.5, 0.5, 20, COUNT_TIME, beam)
        where()
        names = count_group()
        once = ct(COUNT_TIME, absorption_counter, diode)
        saved = sct(COUNT_TIME, diode)
        group = Group(grain_map, saved, title="of the night")
    finally:
        stop_monitoring("ring")
        DEFAULT_CHAIN.remove_preset(points)
        DEFAULT_CHAIN.set_settings([])
    assert get_config().get("sx") is sx
    assert SCANS[-1].scan_info["title"] == "of the night"
    return {"beam": found, "map": grain_map, "seq": seq, "seen": seen, "names": names, "once": once, "group": group}
