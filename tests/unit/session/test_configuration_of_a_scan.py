"""What is configured of the devices of a scan is written with it."""

from __future__ import annotations

from bliss_like.config.used import configuration_of
from bliss_like.data.tree import Tree

from .conftest import MakeSession

OBJECTS = """
- name: more_motors
  class: SimulatedMotors
  axes:
    - {name: phi, unit: deg, velocity: 1000}
    - {name: chi}
- {name: webcam, url: http://there, api_key: 42, users: [{login: ada, password: knock}], motor: $phi}
"""


def test_devices_that_take_part(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [diode, diode2, phi, chi, robx]", objects=OBJECTS)
    assert session.setup(tree=tree), session.error_report
    names = session.env_dict
    info = names["ascan"](names["phi"], 0, 0.1, 1, 0, names["diode"]).node.info
    assert info["configuration"] == {
        "phi": {"class": "SimulatedMotors", "name": "phi", "unit": "deg", "velocity": 1000},
        "diodes": {"class": "SimulatedDiodes", "name": "diodes", "counters": [{"name": "diode", "value": 5}, {"name": "diode2"}, {"name": "diode3"}]},
        "diode": {"class": "SimulatedDiodes", "name": "diode", "value": 5},
    }  # fmt: skip


def test_secrets_are_left_out(make_session: MakeSession) -> None:
    config = make_session(objects=OBJECTS).config
    assert configuration_of(config, [config.get_config("webcam"), object(), None]) == {
        "webcam": {
            "name": "webcam",
            "url": "http://there",
            "api_key": "***",
            "users": [{"login": "ada", "password": "***"}],
            "motor": "$phi",
        }
    }
