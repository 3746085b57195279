"""A small beamline as BLISS reads it: file by file, facts of its YAML only."""

from __future__ import annotations

FILES = {
    "__init__.yml": """\
scan_saving:
  class: ESRFScanSaving
  beamline: id99
  base_path: /data
  tmp_data_root: /data/{beamline}/tmp
""",
    "diodes.yml": """\
-
  name: diode
  plugin: bliss
  class: simulation_diode
  independent: True
- name: diode2
  plugin: bliss
  class: simulation_diode
- {name: diode3, plugin: bliss, class: simulation_diode, integration: True}
- name: wago
  plugin: bliss
  class: Wago
  modbustcp: {url: wcid99}
  mapping:
    - type: 750-469
      logical_names: t1, t2
- name: sample_info
  plugin: default
  supplier: somebody
""",
    "motors/__init__.yml": """\
plugin: emotion
package: bliss.controllers.motors
""",
    "motors/icepap.yml": """\
- class: icepap
  host: iceid99
  axes:
    - name: tz1
      address: 11
      steps_per_unit: 1000
      velocity: 1
      acceleration: 4

    - name: tz2
      address: 12
      steps_per_unit: 1000
      velocity: 1
      acceleration: 4
- controller:
    class: Mockup
    axes:
      - {name: s1f, steps_per_unit: 100, velocity: 1, acceleration: 1}
      - {name: s1b, steps_per_unit: 100, velocity: 1, acceleration: 1}
""",
    "motors/mockup.yml": """\
# The motors of the table.
class: mockup
host: nowhere.org          # the driver wants one
axes:
  - name: robz
    steps_per_unit: 10000
    velocity: 5            # mm/s
    acceleration: 50
    backlash: 0.2          # mm
    encoder: $robz_enc
    low_limit: -10
    high_limit: 10
  - {name: roby, steps_per_unit: 1000, velocity: 2, acceleration: 10, check_encoder: false, sign: -1, tags: y}
  - name: th
    class: ModuloAxis
    modulo: 360
    steps_per_unit: 100
    velocity: 10
    acceleration: 30
    unit: deg
    motion_hooks:
      - $air
      - $brake
    tolerance: 0.01
encoders:
  - name: robz_enc
    steps_per_unit: 50
""",
    "optics/slits.yml": """\
# A slit of two blades.
- plugin: emotion
  class: slits
  slit_type: vertical
  axes:
    - {name: $s1f, tags: real up}
    - {name: $s1b, tags: real down}
    - {name: s1g, tags: vgap}
    - {name: s1o, tags: voffset}
""",
    "sessions/eh1.yml": """\
- class: MeasurementGroup
  name: mg1
  counters: [simulation_diode_sampling_controller:diode, diode2, wago:t1]

- class: MeasurementGroup
  name: mg_wago
  counters:
    - wago:t1
    - wago:t2

- class: Session
  name: eh1
  setup-file: ./eh1_setup.py
  config-objects:
    - robz
    - roby
    - tz1
    - s1g
    - diode       # in front of the sample
    - mg1
    - eh2
  synoptic:
    svg-file: eh1.svg
""",
    "sessions/eh1_setup.py": """\
\"\"\"Runs when eh1 is set up.\"\"\"

from bliss.setup_globals import *
from bliss.common.scans import loopscan

print("eh1")
""",
    "sessions/eh2.yml": """\
plugin: session
class: Session
name: eh2
setup-file: ./eh2_setup.py
""",
    "sessions/eh2_setup.py": """\
print("eh2")
""",
}
"""Text by path."""
