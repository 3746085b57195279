"""A driver as people write them for BLISS, reached over TCP; only its imports say bliss_like."""

from gevent import socket
from gevent.lock import RLock

from bliss_like.common.axis import Axis, AxisState
from bliss_like.common.logtools import log_debug
from bliss_like.common.utils import object_method
from bliss_like.controllers.motor import Controller


class LevelledAxis(Axis):
    @property
    def level(self):
        return f"{self.name} is level"


class Stage(Controller):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._sock = None
        self._lock = RLock()

    def initialize(self):
        self._host = self.config.get("host")
        self._port = self.config.get("port", int)
        self._timeout = self.config.get("timeout", float, 3.0)
        self._terminator = self.config.config_dict.get("terminator", "\n")
        self._states = AxisState()
        self._states.create_state("PARKED", "power is off, brake is on")

    def initialize_hardware(self):
        self._sock = socket.create_connection((self._host, self._port), timeout=self._timeout)
        self._stream = self._sock.makefile("rw")

    def finalize(self):
        if self._sock is not None:
            self._stream.close()
            self._sock.close()
            self._sock = None

    def initialize_axis(self, axis):
        axis.channel = axis.config.get("channel", int)
        axis.label = axis.config.get("label", default="")

    def initialize_hardware_axis(self, axis):
        self._ask(f"POWER {axis.channel} ON")

    def _ask(self, request):
        with self._lock:
            self._stream.write(request + self._terminator)
            self._stream.flush()
            answer = self._stream.readline().strip()
        log_debug(self, "%s -> %s", request, answer)
        if answer.startswith("ERROR"):
            raise RuntimeError(f"{self.name}: {request}: {answer}")
        return answer

    def read_position(self, axis):
        return float(self._ask(f"POS? {axis.channel}"))

    def set_position(self, axis, new_pos):
        self._ask(f"POS {axis.channel} {new_pos}")
        return self.read_position(axis)

    def read_velocity(self, axis):
        return float(self._ask(f"VEL? {axis.channel}"))

    def set_velocity(self, axis, new_velocity):
        self._ask(f"VEL {axis.channel} {new_velocity}")
        return self.read_velocity(axis)

    def read_acceleration(self, axis):
        return float(self._ask(f"ACC? {axis.channel}"))

    def set_acceleration(self, axis, new_acceleration):
        self._ask(f"ACC {axis.channel} {new_acceleration}")
        return self.read_acceleration(axis)

    def state(self, axis):
        answer = self._ask(f"STATE? {axis.channel}")
        state = self._states.new()
        if answer == "BUSY":
            state.set("MOVING")
        elif answer == "PARKED":
            state.set("OFF")
            state.set("PARKED")
        else:
            state.set("READY")
        return state

    def prepare_move(self, motion):
        pass

    def start_one(self, motion):
        self._ask(f"MOVE {motion.axis.channel} {motion.target_pos}")

    def stop(self, axis):
        self._ask(f"STOP {axis.channel}")

    def set_on(self, axis):
        self._ask(f"POWER {axis.channel} ON")

    def set_off(self, axis):
        self._ask(f"POWER {axis.channel} OFF")

    @object_method(types_info=("None", "string"))
    def get_id(self, axis):
        return self._ask(f"ID? {axis.channel}")

    @object_method
    def park(self, axis, why="by hand"):
        self.set_off(axis)
        return f"{axis.name} parked {why}"
