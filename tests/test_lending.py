"""Models of one shape are scored by one compiled graph: does each still give its own scores?"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vaenb import lending
from vaenb.model import VAE
from vaenb.scoring import channel_scores, score
from vaenb.windows import make_windows

WINDOWS = make_windows(np.sin(np.arange(90) / 5), window_size=12)


def build(seed, **settings):
    return VAE(12, latent_dim=2, hidden=(8,), seed=seed, **settings)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(lending, "_free", {})


def lent():
    """How many stand-ins are free, for each shape."""
    return [len(known) for known in lending._free.values()]


@pytest.mark.parametrize("method", ["reconstruction_probability", "elbo", "latent"])
def test_a_stand_in_gives_the_scores_of_the_model_itself(method):
    first, second = build(0), build(1, kl_weight=0.3)
    alone = [score(vae, WINDOWS, method).values for vae in (first, second)]
    assert not np.array_equal(*alone)
    assert lent() == [1]
    lending._free.clear()
    assert np.array_equal(score(second, WINDOWS, method).values, alone[1])
    assert np.array_equal(score(first, WINDOWS, method).values, alone[0])


def test_the_scores_follow_the_weights():
    vae = build(0)
    before = score(vae, WINDOWS).values
    vae.decoder.weights[0].assign(vae.decoder.weights[0] + 1.0)
    assert not np.array_equal(score(vae, WINDOWS).values, before)


def test_the_graph_is_compiled_once_for_a_shape():
    for seed in range(3):
        score(build(seed), WINDOWS)
    ((stand_in,),) = lending._free.values()
    compiled = dict(stand_in.graphs)
    assert [key[1] for key in compiled] == [False]  # no value is missing
    score(build(3), WINDOWS)
    assert stand_in.graphs == compiled
    channel_scores(build(0), WINDOWS)
    assert lent() == [1]


@pytest.mark.parametrize("other", [{"likelihood": "laplace"}, {"prior": "mixture"}, {"scale": "shared"}])
def test_another_shape_has_a_stand_in_of_its_own(other):
    score(build(0), WINDOWS)
    score(build(0, **other), WINDOWS)
    assert lent() == [1, 1]


def test_two_at_once_have_two_and_do_not_disturb_each_other():
    models = [build(seed) for seed in range(4)]
    alone = [score(vae, WINDOWS).values for vae in models]
    with lending.stand_in(models[0]) as mine, lending.stand_in(models[1]) as yours:
        assert mine is not yours
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda vae: score(vae, WINDOWS).values, models * 3))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 3, together, strict=True))


def test_a_stand_in_comes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), lending.stand_in(build(0)):
        raise ZeroDivisionError
    assert lent() == [1]


def test_a_class_of_ones_own_stands_in_for_itself():
    class Own(VAE):
        pass

    vae = Own(12, latent_dim=2, hidden=(8,))
    with lending.stand_in(vae) as found:
        assert found is vae
    assert lent() == []


def test_only_so_many_shapes_are_remembered(monkeypatch):
    monkeypatch.setattr(lending, "MOST_SHAPES", 2)
    for size in (2, 3, 4):
        with lending.stand_in(VAE(12, latent_dim=size, hidden=(8,))):
            pass
    assert ['"latent_dim": 2' in key for key in lending._free] == [False, False]
