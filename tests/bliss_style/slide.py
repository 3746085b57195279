"""Another driver as people write them for BLISS: encoders, home and limit searches, jog, several axes at once."""

from bliss_like.comm.util import TCP, get_comm
from bliss_like.common.axis import AxisState
from bliss_like.controllers.motor import Controller


class Slide(Controller):
    def __init__(self, *args, **kwargs):
        Controller.__init__(self, *args, **kwargs)
        self.axis_info = {}

    def initialize(self):
        self.comm = get_comm(self.config.config_dict, ctype=TCP, eol="\n", timeout=20)

    def finalize(self):
        self.comm.close()

    def initialize_axis(self, axis):
        self.axis_info[axis] = {"channel": axis.config.get("channel", int)}
        if axis.settings.get("hops") is None:
            axis.settings.set("hops", axis.config.get("hops", int, 1))

    def initialize_encoder(self, encoder):
        self.axis_info[encoder] = {"channel": encoder.config.get("channel", int)}

    def raw_write(self, message):
        self.raw_write_read(message)

    def raw_write_read(self, message):
        return self.comm.write_readline(message.encode() + b"\n").decode().strip()

    def command(self, name, what, *args):
        return self.raw_write_read(" ".join(map(str, (name, self.axis_info[what]["channel"], *args))))

    def steps_position_precision(self, axis):
        return 1

    def read_position(self, axis):
        return int(self.command("POS?", axis))

    def set_position(self, axis, position):
        self.command("POS", axis, position)
        return position

    def read_velocity(self, axis):
        return float(self.command("VEL?", axis))

    def set_velocity(self, axis, velocity):
        self.command("VEL", axis, velocity)

    def read_acceleration(self, axis):
        return float(self.command("ACC?", axis))

    def set_acceleration(self, axis, acceleration):
        self.command("ACC", axis, acceleration)

    def state(self, axis):
        answer = self.command("STATE?", axis)
        if answer in ("BUSY", "SEARCHING"):
            return AxisState("MOVING")
        extra = {"HOME": "HOME", "LIM+": "LIMPOS", "LIM-": "LIMNEG"}.get(answer)
        return AxisState("READY", extra) if extra else AxisState("READY")

    def start_one(self, motion):
        self.start_all(motion)

    def start_all(self, *motion_list):
        for motion in motion_list:
            self.command("MOVE", motion.axis, round(motion.target_pos))

    def stop(self, axis):
        self.command("STOP", axis)

    def stop_all(self, *motion_list):
        for motion in motion_list:
            self.stop(motion.axis)

    def home_search(self, axis, switch):
        self.command("HOME", axis)

    def home_state(self, axis):
        return AxisState("MOVING" if self.command("STATE?", axis) == "SEARCHING" else "READY")

    def limit_search(self, axis, limit):
        self.command("LIMIT", axis, "+" if limit > 0 else "-")

    def start_jog(self, axis, velocity, direction):
        self.command("JOG", axis, velocity * direction)

    def stop_jog(self, axis):
        self.stop(axis)

    def read_encoder(self, encoder):
        return int(self.command("ENC?", encoder))

    def set_encoder(self, encoder, steps):
        self.command("ENC", encoder, steps)

    def get_axis_info(self, axis):
        return f"slide {self.command('ID?', axis)}"

    def get_id(self, axis):
        return self.command("ID?", axis)
