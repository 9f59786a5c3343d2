"""The two networks: shapes, mirrors, seeds, and what a layer computes."""

import numpy as np
import pytest

import vaenb
from vaenb.backend import keras, tf
from vaenb.choices import DEFAULT_HIDDEN
from vaenb.errors import InputError
from vaenb.networks import KERNEL_SIZE, Dense, build_decoder, build_encoder

KINDS = sorted(DEFAULT_HIDDEN)


def build_both(kind, window_size=16, n_channels=2, hidden=(8, 4), latent_dim=3, n_params=2, seed=0):
    sizes = {"window_size": window_size, "n_channels": n_channels, "hidden": hidden, "latent_dim": latent_dim}
    encoder = build_encoder(kind, **sizes, seed=seed)
    decoder = build_decoder(kind, **sizes, n_params=n_params, seed=seed)
    encoder.build((None, window_size, n_channels))
    decoder.build((None, latent_dim))
    return encoder, decoder


def sizes_of(layers, kind):
    return [
        getattr(layer, "units", getattr(layer, "filters", None))
        for layer in layers
        if isinstance(layer, kind)
    ]


def head_sizes(network, kind):
    return [sizes_of(head, kind) for head in network.heads]


def shapes_of(outputs):
    return tuple(tuple(out.shape) for out in outputs)


@pytest.mark.parametrize("hidden", [(), (5,), (6, 5, 4)])
@pytest.mark.parametrize("window_size", [1, 8, 13, 33])
@pytest.mark.parametrize("kind", KINDS)
def test_shapes_in_and_out(kind, window_size, hidden):
    encoder, decoder = build_both(kind, window_size, 2, hidden)
    params = encoder(np.zeros((7, window_size, 2), dtype=np.float32))
    points = decoder(np.zeros((7, 3), dtype=np.float32))
    assert shapes_of(params) == encoder.compute_output_shape((7, window_size, 2)) == ((7, 3), (7, 3))
    assert shapes_of(points) == decoder.compute_output_shape((7, 3)) == ((7, window_size, 2),) * 2


@pytest.mark.parametrize("n_params", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_decoder_has_a_head_for_each_parameter(kind, n_params):
    _, decoder = build_both(kind, n_params=n_params)
    points = decoder(np.ones((5, 7, 3), dtype=np.float32))
    assert shapes_of(points) == decoder.compute_output_shape((5, 7, 3)) == ((5, 7, 16, 2),) * n_params
    assert all(np.ptp(head - points[0]) > 1e-3 for head in points[1:])


def test_leading_axes_of_unknown_length_are_kept_in_a_graph():
    encoder, _ = build_both("dense")
    graph = tf.function(encoder).get_concrete_function(tf.TensorSpec((4, None, 16, 2)))
    assert [out.shape.as_list() for out in graph.structured_outputs] == [[4, None, 3]] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_leading_axes_are_kept_and_change_nothing(kind):
    encoder, decoder = build_both(kind)
    x = np.random.default_rng(0).normal(size=(2, 3, 16, 2)).astype(np.float32)
    z = np.random.default_rng(1).normal(size=(2, 3, 4, 3)).astype(np.float32)
    for params, flat in zip(encoder(x), encoder(x.reshape(6, 16, 2)), strict=True):
        np.testing.assert_allclose(params, flat.numpy().reshape(2, 3, 3), atol=1e-6)
    both = zip(decoder(z), decoder(z.reshape(24, 3)), decoder(z[0, 0, 0]), strict=True)
    for points, flat, single in both:
        np.testing.assert_allclose(points, flat.numpy().reshape(2, 3, 4, 16, 2), atol=1e-6)
        np.testing.assert_allclose(single, flat[0], atol=1e-6)


def test_the_dense_decoder_mirrors_the_encoder():
    encoder, decoder = build_both("dense", hidden=(8, 4))
    assert sizes_of(encoder.chain, Dense) == [8, 4]
    assert head_sizes(encoder, Dense) == [[3], [3]]
    assert sizes_of(decoder.chain, Dense) == [4, 8]
    assert head_sizes(decoder, Dense) == [[16 * 2], [16 * 2]]


def test_the_conv_decoder_mirrors_the_encoder():
    encoder, decoder = build_both("conv", hidden=(8, 4))
    assert sizes_of(encoder.chain, keras.layers.Conv1D) == [8, 4]
    assert head_sizes(encoder, Dense) == [[3], [3]]
    assert {layer.strides for layer in encoder.chain if isinstance(layer, keras.layers.Conv1D)} == {(2,)}
    assert sizes_of(decoder.chain, keras.layers.Conv1D) == [4, 8]
    assert head_sizes(decoder, keras.layers.Conv1D) == [[2], [2]]
    assert sizes_of(decoder.chain, Dense) == [4 * 4]  # 16 points halved twice, 4 filters


def test_the_recurrent_decoder_mirrors_the_encoder():
    encoder, decoder = build_both("recurrent", hidden=(8, 4))
    assert sizes_of(encoder.chain, keras.layers.GRU) == [8, 4]
    assert head_sizes(encoder, Dense) == [[3], [3]]
    assert sizes_of(decoder.chain, keras.layers.GRU) == [4, 8]
    assert head_sizes(decoder, Dense) == [[2], [2]]


def test_a_dense_network_is_matrices_and_relus():
    encoder, _ = build_both("dense", hidden=(8, 4))
    x = np.random.default_rng(0).normal(size=(5, 16, 2)).astype(np.float32)
    h = x.reshape(5, 32).astype(np.float64)
    layers = [*encoder.chain[1:], *(head[0] for head in encoder.heads)]
    (a, _), (b, _), (c, _), (d, _) = ([w.value.numpy() for w in layer.weights] for layer in layers)
    h = np.maximum(np.maximum(h @ a.T, 0) @ b.T, 0)  # it narrows everywhere; fresh biases are zero
    for params, expected in zip(encoder(x), (h @ c.T, h @ d.T), strict=True):
        np.testing.assert_allclose(params, expected, atol=1e-5)


@pytest.mark.parametrize("units", [3, 5, 8])
@pytest.mark.parametrize("leading", [(7,), (2, 7)])
def test_a_dense_layer_is_that_of_keras(units, leading):
    start = keras.initializers.RandomNormal(seed=0)
    ours = Dense(units, kernel_initializer=start, activation="relu")
    theirs = keras.layers.Dense(units, kernel_initializer=start, activation="relu")
    x = tf.constant(np.random.default_rng(0).normal(size=(*leading, 5)).astype(np.float32))
    ours.build(x.shape)
    theirs.build(x.shape)
    assert ours.kernel.shape == tuple(sorted((5, units)))
    bias = np.linspace(-0.1, 0.1, units)
    found = []
    for layer in (ours, theirs):
        layer.bias.assign(bias)
        with tf.GradientTape() as tape:
            y = layer(x)
            loss = tf.reduce_sum(y * tf.range(units, dtype=tf.float32))
        found.append([y, *tape.gradient(loss, [layer.kernel, layer.bias])])
    if units < 5:
        found[0][1] = tf.transpose(found[0][1])
    for mine, its in zip(*found, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-5, atol=1e-6)


def test_conv_and_recurrent_networks_know_the_order_of_points():
    x = np.random.default_rng(0).normal(size=(5, 16, 2)).astype(np.float32)
    for kind in ("conv", "recurrent"):
        encoder, decoder = build_both(kind)
        for params, turned in zip(encoder(x), encoder(x[:, ::-1]), strict=True):
            assert not np.allclose(params, turned, atol=1e-3)
        for points in decoder(np.ones((1, 3), dtype=np.float32)):
            assert np.ptp(points[0], axis=0).max() > 1e-3


def test_a_conv_layer_sees_its_neighbourhood_only():
    _, decoder = build_both("conv", window_size=64, hidden=(4,))
    h = np.zeros((1, 64, 4), dtype=np.float32)
    h[0, 30] = 1.0
    for (last,) in decoder.heads:
        assert last.kernel_size == (KERNEL_SIZE,)
        touched = np.flatnonzero(np.abs(last(h).numpy()[0] - last(0 * h).numpy()[0]).sum(axis=1))
        assert set(touched) <= set(range(30 - KERNEL_SIZE // 2, 31 + KERNEL_SIZE // 2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_weights_follow_the_seed(kind):
    first, again, other = (
        [weight.value.numpy() for network in build_both(kind, seed=seed) for weight in network.weights]
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(not np.array_equal(a, b) for a, b in zip(first, other, strict=True) if np.ptp(a) > 0)


def test_two_layers_of_one_shape_start_with_different_weights():
    encoder, _ = build_both("dense", window_size=4, n_channels=2, hidden=(8, 8))
    for layers in (encoder.chain[1:3], (head[0] for head in encoder.heads)):
        one, two = (layer.weights[0].value.numpy() for layer in layers)
        assert one.shape == two.shape
        assert not np.array_equal(one, two)


@pytest.mark.parametrize("build", [build_encoder, build_decoder])
def test_an_unknown_kind_is_refused(build):
    sizes = {"window_size": 8, "n_channels": 1, "hidden": (4,), "latent_dim": 2, "seed": 0}
    extra = {"n_params": 1} if build is build_decoder else {}
    with pytest.raises(InputError, match=r"encoder is 'lstm'; expected one of 'dense', 'conv', 'recurrent'"):
        build("lstm", **sizes, **extra)


@pytest.mark.parametrize("kind", ["dense", "conv", "recurrent"])
def test_the_variables_of_two_models_have_the_same_names(kind):
    """TensorFlow keeps memory for every name it has not seen before, for as long as the process lives.

    (The seed generator of Keras' recurrent cell counts on, and nobody can name it.)
    """
    one, two = (vaenb.VAE(16, hidden=(8, 4), encoder=kind, prior="mixture") for _ in range(2))
    paths = [each.path for each in one.weights]
    assert paths == [each.path for each in two.weights]
    assert len(set(paths)) == len(paths)


def test_the_variables_of_two_trainings_have_the_same_names():
    from vaenb.training import new_run

    windows = vaenb.make_windows(np.sin(np.arange(60) / 5), 16)
    runs = [new_run(vaenb.VAE(16, hidden=(8,)), windows) for _ in range(2)]
    one, two = ([each.path for each in run.optimizer.variables] for run in runs)
    assert one == two
    assert len(set(one)) == len(one) > 2
