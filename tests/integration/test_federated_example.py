"""The example of federated learning, cut short: it trains, robust rules withstand its attackers, its cheat is caught."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import torch

from examples.federated.__main__ import cheat
from examples.federated.digits import shared_out
from examples.federated.methods import METHODS, Method
from examples.federated.people import ATTACKERS, HONEST, gathered
from examples.federated.picture import picture
from examples.federated.rounds import Training, played

ROUNDS = 5


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a model is slower with more
    yield
    torch.set_num_threads(before)


@pytest.fixture
def training(tmp_path: Path):
    pytest.importorskip("sklearn", reason="it has the digits; it comes with the dev extra")
    people, digits = gathered(tmp_path / "people"), shared_out(len(HONEST))

    def prepare(method: Method, attackers: tuple[str, ...]) -> Training:
        return Training(tmp_path / f"{method.title}-{len(attackers)}", people, digits, method, attackers)

    return prepare


def test_robust_rules_learn_under_attack_and_a_cheating_server_is_caught(training, capsys):
    mean, _, nnm, bounded = METHODS
    ends = {
        method.title: list(played(training(method, ATTACKERS), ROUNDS))[-1] for method in (mean, nnm, bounded)
    }
    assert ends["mean"] < 0.2
    assert min(ends["NNM + trimmed mean"], ends["bounded influence"]) > 0.25
    assert cheat(training(nnm, ATTACKERS), ROUNDS)
    told = capsys.readouterr().out
    assert "AGG002 stranger.safetensors does not count" in told
    assert "AGG016" in told
    assert "AGG017 the round left out the valid update of iris" in told


def test_without_attackers_the_mean_learns(training):
    assert list(played(training(METHODS[0], ()), ROUNDS))[-1] > 0.6


def test_the_picture_has_a_line_a_method_and_panel():
    curves = {method.title: [0.1, 0.5, 0.9] for method in METHODS}
    drawn = ET.fromstring(picture({"one & only": curves, "other": curves}))
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 8
