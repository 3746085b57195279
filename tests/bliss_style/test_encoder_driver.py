"""A driver with encoders, searches and jog that was written for BLISS."""

from __future__ import annotations

import pytest

from bliss_like.config import Config
from bliss_like.errors import AxisFault
from bliss_like.standard import mv, stm, umv
from tests.bliss_style.conftest import Configure
from tests.bliss_style.stage_server import StageBox
from tests.waiting import wait_until

SLIDE = """
- class: Slide
  name: slides
  package: tests.bliss_style
  tcp: {{url: "127.0.0.1:{port}"}}
  axes:
    - name: tx
      channel: 1
      steps_per_unit: 100
      velocity: 50
      acceleration: 50000
      backlash: 0.1
      encoder: $tx_enc
      hops: 3
    - {{name: turn, channel: 2, steps_per_unit: 100, velocity: 50, acceleration: 50000, class: ModuloAxis, modulo: 3.6}}
  encoders:
    - {{name: tx_enc, channel: 1, steps_per_unit: 100, tolerance: 0.02, wired: left}}
"""


@pytest.fixture
def config(configure: Configure, box: tuple[StageBox, int]) -> Config:
    return configure(SLIDE.format(port=box[1]))


def test_an_axis_moves_and_its_encoder_follows(config: Config, box: tuple[StageBox, int]) -> None:
    tx = config.get("tx")
    umv(tx, 1.5)
    assert (tx.position, tx.measured_position) == pytest.approx((1.5, 1.5))
    mv(tx, 1)
    moves = [request for request in box[0].requests if request.startswith("MOVE")]
    assert moves == ["MOVE 1 150", "MOVE 1 90", "MOVE 1 100"]  # the last one takes the play out


def test_an_encoder_that_disagrees_ends_the_motion(config: Config, box: tuple[StageBox, int]) -> None:
    tx = config.get("tx")
    box[0].motors[1].slip = 7
    with pytest.raises(AxisFault, match=r"tx did not reach its target: .* encoder tx_enc says 1.07"):
        mv(tx, 1)
    tx.encoder.set(1)
    mv(tx, 1.2)
    assert tx.encoder.read() == pytest.approx(1.2)
    assert tx.encoder.config.get("wired") == "left"


def test_home(config: Config) -> None:
    tx = config.get("tx")
    tx.home()
    assert tx.position == 3 and "HOME" in tx.state
    tx.dial = 0
    mv(tx, 0.5)
    assert tx.position == 0.5


def test_limits_are_found(config: Config) -> None:
    tx = config.get("tx")
    tx.hw_limit(+1)
    assert tx.position == 5 and "LIMPOS" in tx.state
    tx.hw_limit(-1)
    assert tx.position == -5 and "LIMNEG" in tx.state


def test_jog(config: Config, box: tuple[StageBox, int]) -> None:
    tx = config.get("tx")
    tx.jog(20)
    assert tx.is_moving
    wait_until(lambda: tx.position > 0.2)
    tx.jog(-30)
    wait_until(lambda: tx.position < 0)
    tx.stop()
    assert not tx.is_moving and "JOG 1 -3000.0" in box[0].requests
    assert box[0].motors[1].velocity == 5000


def test_an_axis_that_turns(config: Config) -> None:
    turn = config.get("turn")
    mv(turn, 3.5)
    mv(turn, 3.7)
    assert turn.position == pytest.approx(0.1)
    assert turn.controller.read_position(turn) == 10 or turn.controller.read_position(turn) == 370


def test_settings_of_its_own(config: Config) -> None:
    tx = config.get("tx")
    tx.position  # noqa: B018 - the first use sets it up
    assert tx.settings.get("hops") == 3
    tx.settings.set("hops", 4)
    assert tx.settings.get("hops") == 4


def test_what_is_shown(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    tx = config.get("tx")
    assert "slide STAGE-1" in tx.__info__()
    assert tx.controller.get_id(tx) == "STAGE-1"
    stm(tx)
    assert "READY" in capsys.readouterr().out
