"""One sentence on what each choice of step 2 brings, to be read by a student."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vaenb.formats import counted, number

if TYPE_CHECKING:
    from vaenb.view_models.layers import Layer
    from vaenb.view_models.model import ModelView

ENCODER: Final = {
    "dense": "Every unit sees the whole window: fast, and a good start, but a pattern that moves by a few "
    "points has to be learnt anew at each place.",
    "conv": "The same few filters slide over the window: a pattern is recognised wherever it stands.",
    "recurrent": "The window is read point after point: order matters most, and training takes several "
    "times as long.",
}
LIKELIHOOD: Final = {
    "normal": "Points scatter around the reconstruction as a bell curve: a point twice as far off costs four "
    "times as much.",
    "laplace": "Heavier tails: a point twice as far off costs twice as much, so that single spikes in the "
    "training part bend the model less.",
    "student_t": "The heaviest tails, and how heavy is learned: outliers in the training part hardly move "
    "the model, and outliers later score less.",
    "bernoulli": "The binary cross-entropy of the textbook, for values between 0 and 1: prepare the series "
    "with the scaler minmax.",
}
SCALE: Final = {
    "per_point": "The decoder says for each point how sure it is: where the series is always noisy, noise is "
    "no anomaly.",
    "shared": "One scale for each channel, learned: the same distance counts the same at every point.",
}
PRIOR: Final = {
    "standard": "All windows share one round cloud around 0, which keeps the latent space without holes.",
    "mixture": "Eight clouds, learned: kinds of windows, such as workdays and weekends, may lie apart.",
}
TEXTBOOK: Final = (
    "The textbook model: 32 units, two latent dimensions, binary cross-entropy. Easy to draw and to explain, "
    "but it cannot say where it is unsure, and it wants values between 0 and 1."
)


def consequences(view: ModelView) -> dict[str, str]:
    """What each setting brings as it is now, one sentence each."""
    s = view.settings
    no_scale = s["likelihood"] == "bernoulli"
    return {
        "encoder": ENCODER[s["encoder"]],
        "hidden": hidden(view),
        "latent_dim": latent(s["latent_dim"], s["window_size"] * s["n_channels"]),
        "likelihood": LIKELIHOOD[s["likelihood"]],
        "scale": "Bernoulli has no scale: this choice changes nothing." if no_scale else SCALE[s["scale"]],
        "prior": PRIOR[s["prior"]],
        "kl_weight": kl_weight(s["kl_weight"]),
        "seed": "Where the weights start: another seed gives a slightly different result, and how different "
        "is worth knowing.",
    }


def hidden(view: ModelView) -> str:
    """What the sizes of the layers bring."""
    sizes = view.full["hidden"]
    if not sizes:
        return "Without hidden layers the model is linear: it is a probabilistic PCA."
    what = "filters" if view.settings["encoder"] == "conv" else "units"
    layers = counted(len(sizes), "layer")
    most = max(sizes)
    return (
        f"{layers} of up to {counted(most, what[:-1])}, mirrored in the decoder: more can learn finer "
        "patterns, and more easily learn noise by heart."
    )


def latent(dims: int, size: int) -> str:
    """What the number of latent dimensions brings."""
    if dims == 1:
        return "A single number has to say everything about a window: only its strongest feature survives."
    if dims == 2:
        return "A latent of 2 can be drawn, but has to squeeze everything the window says into two numbers."
    if dims >= size:
        return (
            f"{dims} numbers for a window of {size:,}: nothing has to be left out, so that anomalies can be "
            "copied as well as the rest."
        )
    return (
        f"{dims} numbers to describe the {size:,} of a window: more of them copy it better, too many copy "
        "anomalies as well."
    )


def kl_weight(weight: float) -> str:
    """What the weight of the KL brings."""
    if weight == 0:
        return "The prior is not looked at: an ordinary autoencoder, and draws from the prior mean nothing."
    if weight < 1:
        return "Less than 1: sharper reconstructions, and a latent space that follows the prior less."
    if weight == 1:
        return "1 is the ELBO itself: the bound on the likelihood that theory speaks of."
    return "More than 1: a tidier latent space of fewer active dimensions, and blurrier reconstructions."


def drawn(view: ModelView, *, can_draw: bool) -> str:
    """What the windows from the prior are, or how to get some: a piece of HTML."""
    if not can_draw:
        return (
            "To see what the decoder makes of draws from the prior, hand the panel a function that draws: "
            f"<code>vaenb.ModelPanel({view.settings['window_size']}, sample=vaenb.sample_prior)</code>"
        )
    if view.drawn is None:
        return "z is drawn from the prior p(z), and the decoder says which window it stands for."
    if not view.is_drawn_fresh:
        return "These are of the settings before: draw again."
    told = (
        "Windows that the decoder makes of z drawn from the prior, in scaled units, all on one scale. "
        "Before the training it knows nothing: they need not look like your series."
    )
    return told + (" The first channel is in colour." if view.settings["n_channels"] > 1 else "")


def shape(layer: Layer) -> str:
    """The shape of what comes out of a layer."""
    return " \u00d7 ".join(f"{size:,}" for size in layer.shape)


def short(count: int) -> str:
    """A number of parameters in a few characters."""
    if count < 100_000:
        return f"{count:,}"
    return f"{number(count / 1000, 3)}k" if count < 1_000_000 else f"{number(count / 1e6, 3)}M"


def described(view: ModelView) -> str:
    """The network for those who do not see the picture."""
    told = "; ".join(
        f"{layer.name} {shape(layer)}, {counted(layer.n_params, 'parameter')}" for layer in view.layers
    )
    return (
        f"From left to right: {told}. Together {counted(view.n_params, 'parameter')}: "
        f"encoder {view.params_of('encoder'):,}, prior {view.params_of('latent'):,}, "
        f"decoder {view.params_of('decoder'):,}."
    )
