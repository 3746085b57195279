"""A motion hook, as people have them for BLISS; only the imports are changed."""

from bliss_like.common.hook import MotionHook


class AirPads(MotionHook):
    """Lifts a stage on air, when there is pressure enough."""

    def __init__(self, name, config):
        self.config = config
        self.name = name
        self.needed = config.get("pressure", float)
        self.pressure = self.needed
        self.lifted = []
        super().__init__()

    def pre_move(self, motion_list):
        if self.pressure < self.needed:
            raise RuntimeError("no air")
        self.lifted.extend(motion.axis.name for motion in motion_list)

    def post_move(self, motion_list):
        self.lifted.clear()
