"""Step 2: the variational autoencoder, as a Keras model whose every distribution is a real one.

z ~ p(z)                       prior
x ~ p(x | z)                   likelihood (decoder)
q(z | x)                       posterior (encoder)
ELBO(x) = E_q[log p(x | z)] - KL(q(z | x) || p(z))  <=  log p(x)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.backend import keras, tf, tfd
from vaenb.checks import check_whole
from vaenb.choices import TEXTBOOK, check_model
from vaenb.errors import InputError
from vaenb.networks import build_decoder, build_encoder
from vaenb.objectives import ElboTerms, elbo_terms, importance_bound, softplus, split_missing

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_SCALE = 5e-2  # of the likelihood, in units of the scaled data: no density may grow without bound
MIN_POSTERIOR_SCALE = 1e-4
_SOFTPLUS_TO_ONE = float(np.log(np.expm1(1.0)))


@keras.saving.register_keras_serializable(package="vaenb")
class VAE(keras.Model):
    """A variational autoencoder of windows (Kingma & Welling 2014).

    Everywhere below `x` has shape (batch, window_size, n_channels), or (batch, window_size) when there is
    one channel; NaN in `x` means missing. Missing points enter the encoder as 0 and are left out of the
    likelihood, and the prior's term is weighted by the share of points that are there (the M-ELBO of
    Donut, Xu et al. 2018).

    Parameters
    ----------
    window_size : int
        Points in a window.
    n_channels : int
    latent_dim : int
        Dimensions of z.
    hidden : sequence of int, optional
        Units (dense, recurrent) or filters (conv) of the encoder's layers; the decoder mirrors them.
        An empty one makes a linear VAE. Default: (256, 64) dense, (32, 64) conv, (64,) recurrent.
    encoder : {"dense", "conv", "recurrent"}
        The kind of both networks.
    likelihood : {"normal", "laplace", "student_t", "bernoulli"}
        The distribution of a point given z. "bernoulli" wants values between 0 and 1.
    scale : {"per_point", "shared"}
        Whether the decoder says how sure it is of each point, or one scale a channel is learned.
    prior : {"standard", "mixture"}
        A standard normal, or a learned mixture of 8 diagonal normals.
    kl_weight : float
        Weight of the KL term while training (Higgins et al. 2017); 1 is the ELBO.
    seed : int
        Where the weights start and what is sampled while training.

    Raises
    ------
    InputError
        If a size is not positive or a name is not one of those above.

    Examples
    --------
    >>> import numpy as np, vaenb
    >>> vae = vaenb.VAE(window_size=32, latent_dim=2)
    >>> x = np.zeros((5, 32, 1))
    >>> q = vae.posterior(x)
    >>> vae.likelihood(q.sample(3)).mean().shape.as_list()
    [3, 5, 32, 1]
    >>> vae.elbo(x).shape.as_list()
    [5]
    """

    N_COMPONENTS = 8

    def __init__(
        self,
        window_size: int,
        n_channels: int = 1,
        *,
        latent_dim: int = 8,
        hidden: Sequence[int] | None = None,
        encoder: str = "dense",
        likelihood: str = "normal",
        scale: str = "per_point",
        prior: str = "standard",
        kl_weight: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        # float32 whatever Keras' global policy is: a likelihood in float16 overflows.
        super().__init__(**{"name": "vae", "dtype": "float32", **kwargs})
        self.settings = s = check_model(
            window_size=window_size,
            n_channels=n_channels,
            latent_dim=latent_dim,
            hidden=hidden,
            encoder=encoder,
            likelihood=likelihood,
            scale=scale,
            prior=prior,
            kl_weight=kl_weight,
            seed=seed,
        )
        self.window_size: int = s["window_size"]
        self.n_channels: int = s["n_channels"]
        self.latent_dim: int = s["latent_dim"]
        self.kl_weight: float = s["kl_weight"]
        self._sampler = keras.random.SeedGenerator(s["seed"], name="sampler")
        self._scale_in_decoder = likelihood != "bernoulli" and scale == "per_point"
        self.graphs: dict[Any, Any] = {}  # compiled graphs, kept with the weights they read
        self._build_networks()
        self._trackers = [keras.metrics.Mean(name=name) for name in ("loss", "reconstruction", "kl")]
        self.build((None, self.window_size, self.n_channels))

    def _build_networks(self) -> None:
        s = self.settings
        sizes = {k: s[k] for k in ("window_size", "n_channels", "hidden", "latent_dim", "seed")}
        self.encoder = build_encoder(s["encoder"], **sizes)
        self.decoder = build_decoder(s["encoder"], n_params=1 + self._scale_in_decoder, **sizes)
        if s["likelihood"] != "bernoulli" and not self._scale_in_decoder:
            self._raw_scale = self._weight("scale", np.full(self.n_channels, _SOFTPLUS_TO_ONE))
        if s["likelihood"] == "student_t":
            self._raw_df = self._weight("df", np.array(2.0))
        if s["prior"] == "mixture":
            shape = (self.N_COMPONENTS, self.latent_dim)
            self._prior_logits = self._weight("prior_logits", np.zeros(self.N_COMPONENTS))
            self._prior_loc = self._weight("prior_loc", np.random.default_rng(s["seed"]).normal(size=shape))
            self._prior_raw_scale = self._weight("prior_scale", np.full(shape, _SOFTPLUS_TO_ONE))

    def _weight(self, name: str, value: np.ndarray[Any, Any]) -> Any:
        start = keras.initializers.Constant(value)
        return self.add_weight(shape=value.shape, initializer=start, name=name, dtype="float32")

    @classmethod
    def textbook(cls, window_size: int, n_channels: int = 1, *, seed: int = 0) -> VAE:
        """The page's model: Dense 32 relu, latent 2, Dense 32 relu, sigmoid; binary cross-entropy + KL.

        It wants values between 0 and 1 (``prepare(..., scaler="minmax")``). Its flaws are part of the course:
        a Bernoulli likelihood of values that are not 0 or 1 does not integrate to one, and it cannot say
        where it is unsure.
        """
        return cls(window_size, n_channels, **TEXTBOOK, seed=seed, name="textbook")

    # ------------------------------------------------------------------ distributions

    @property
    def prior(self) -> Any:
        """p(z): a tfd distribution with event shape (latent_dim,)."""
        if self.settings["prior"] == "standard":
            return tfd.Independent(tfd.Normal(tf.zeros(self.latent_dim), tf.ones(self.latent_dim)), 1)
        return tfd.MixtureSameFamily(
            tfd.Categorical(logits=tf.convert_to_tensor(self._prior_logits)),
            tfd.Independent(tfd.Normal(*self._prior_parts()), 1),
        )

    def _prior_parts(self) -> tuple[tf.Tensor, tf.Tensor]:
        scale = softplus(tf.convert_to_tensor(self._prior_raw_scale)) + MIN_POSTERIOR_SCALE
        return tf.convert_to_tensor(self._prior_loc), scale

    def posterior(self, x: Any) -> Any:
        """q(z | x): a tfd distribution with batch shape (batch,) and event shape (latent_dim,)."""
        return self.posterior_of_filled(split_missing(self.as_windows(x))[1])

    def posterior_of_filled(self, filled: tf.Tensor) -> Any:
        """As `posterior`, of a float32 tensor of windows that has no NaN: nothing is looked for."""
        mean, raw = self.encoder(filled)
        return tfd.Independent(tfd.Normal(mean, softplus(raw) + MIN_POSTERIOR_SCALE), 1)

    def likelihood(self, z: Any) -> Any:
        """p(x | z): a tfd distribution with the batch shape of `z` and event shape (window_size, n_channels).

        `z` has shape (..., latent_dim); sample axes in front are kept.
        """
        loc, *raws = self.decoder(tf.convert_to_tensor(z, tf.float32))
        kind = self.settings["likelihood"]
        if kind == "bernoulli":
            return tfd.Independent(tfd.Bernoulli(logits=loc, dtype=tf.float32), 2)
        raw = raws[0] if raws else tf.broadcast_to(tf.convert_to_tensor(self._raw_scale), tf.shape(loc))
        scale = softplus(raw) + MIN_SCALE
        if kind == "student_t":
            df = 2.0 + softplus(tf.convert_to_tensor(self._raw_df))
            return tfd.Independent(tfd.StudentT(df, loc, scale), 2)
        family = tfd.Normal if kind == "normal" else tfd.Laplace
        return tfd.Independent(family(loc, scale), 2)

    # ------------------------------------------------------------------ objectives

    def elbo(self, x: Any, *, n_samples: int = 1, seed: Any = None) -> tf.Tensor:
        """A Monte-Carlo estimate of the ELBO, shape (batch,), in nats.

        Under the standard prior the KL in it is exact; under a mixture it is estimated from the same draws.

        Parameters
        ----------
        x : array_like, shape (batch, window_size, n_channels)
        n_samples : int
            Draws of z for each window.
        seed : int or pair of int, optional
            The same seed gives the same draws; by default each call draws anew.
        """
        return self.elbo_terms(x, n_samples=n_samples, seed=seed).elbo

    def elbo_terms(self, x: Any, *, n_samples: int = 1, seed: Any = None) -> ElboTerms:
        """The ELBO and its parts; see `elbo`. The KL weight does not enter here."""
        x = self.as_windows(x)
        return elbo_terms(self, x, noise=self.draw_noise(tf.shape(x)[0], n_samples, seed))

    def iwae(self, x: Any, *, n_samples: int = 64, seed: Any = None) -> tf.Tensor:
        """The importance-weighted bound (Burda et al. 2016), shape (batch,), in nats.

        log 1/k sum_i p(x, z_i) / q(z_i | x) with k = `n_samples`; between the ELBO and log p(x), and closer
        to log p(x) the larger k is.
        """
        x = self.as_windows(x)
        return importance_bound(self, x, noise=self.draw_noise(tf.shape(x)[0], n_samples, seed))

    def latent_distance(self, z: Any) -> tf.Tensor:
        """How far points z (..., latent_dim) lie from the prior's nearest centre, in its scales; (...)."""
        if self.settings["prior"] == "standard":
            return tf.norm(z, axis=-1)
        loc, scale = self._prior_parts()
        return tf.reduce_min(tf.norm((z[..., None, :] - loc) / scale, axis=-1), axis=-1)

    def as_windows(self, x: Any) -> tf.Tensor:
        """`x` as a float32 tensor (batch, window_size, n_channels)."""
        x = tf.cast(tf.convert_to_tensor(x), tf.float32)
        if len(x.shape) == 2 and self.n_channels == 1:
            x = x[..., None]
        expected = (self.window_size, self.n_channels)
        if len(x.shape) != 3 or tuple(x.shape[1:]) != expected:
            raise InputError(
                f"x has shape {tuple(x.shape)}; expected (batch, {expected[0]}, {expected[1]}): "
                "(batch, window_size, n_channels)."
            )
        return x

    def draw_noise(self, n_windows: Any, n_samples: int, seed: Any) -> tf.Tensor:
        """Standard normal draws for so many windows, (n_samples, n_windows, latent_dim)."""
        n_samples = check_whole("n_samples", n_samples)
        if seed is None:
            seed = tf.cast(self._sampler.next(ordered=False) % 2**31, tf.int32)
        seed = tf.cast(tf.convert_to_tensor(seed), tf.int32)
        pair = seed if seed.shape.rank else tf.stack([seed, 0])
        # With this generator named, compiled and plain graphs draw the same, and the compiled ones fast.
        return tf.random.stateless_normal((n_samples, n_windows, self.latent_dim), pair, alg="philox")

    # ------------------------------------------------------------------ the Keras model

    def call(self, x: Any, training: bool = False) -> tf.Tensor:  # noqa: ARG002, FBT001, FBT002 - Keras' signature
        """The likelihood's mean at the posterior's mean, shape (batch, window_size, n_channels)."""
        return self.likelihood(self.posterior(x).mean()).mean()

    def build(self, input_shape: Any) -> None:
        """Create the weights of both networks."""
        self.encoder.build(input_shape)
        self.decoder.build((None, self.latent_dim))
        self.built = True

    def training_loss(
        self, x: tf.Tensor, *, noise: tf.Tensor, kl_weight: Any = None, complete: bool = False
    ) -> tuple[tf.Tensor, ElboTerms]:
        """What training minimises: the mean over the batch of -(reconstruction - kl_weight * KL).

        `noise` holds standard normal draws, (1, batch, latent_dim); `complete` promises that nothing is
        missing in `x`.
        """
        weight = self.kl_weight if kl_weight is None else kl_weight
        terms = elbo_terms(self, x, noise=noise, complete=complete)
        return tf.reduce_mean(weight * terms.kl - terms.reconstruction), terms

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of ``fit``: the same loss as `vaenb.train`."""
        x = self.as_windows(keras.utils.unpack_x_y_sample_weight(data)[0])
        with tf.GradientTape() as tape:
            loss, terms = self.training_loss(x, noise=self.draw_noise(tf.shape(x)[0], 1, None))
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return self._track(terms)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of ``evaluate``."""
        x = self.as_windows(keras.utils.unpack_x_y_sample_weight(data)[0])
        return self._track(self.training_loss(x, noise=self.draw_noise(tf.shape(x)[0], 1, None))[1])

    def _track(self, terms: ElboTerms) -> dict[str, Any]:
        """Means over windows: a last, smaller batch counts as much as it holds."""
        loss = self.kl_weight * terms.kl - terms.reconstruction
        for tracker, value in zip(self._trackers, (loss, terms.reconstruction, terms.kl), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self._trackers}

    @property
    def metrics(self) -> list[Any]:
        """The means that Keras resets at the start of each epoch."""
        return self._trackers

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**self.settings, "name": self.name}
