"""Step 2: the settings of a VAE, the layers they make, and what each choice brings. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vaenb.choices import DEFAULT_HIDDEN, TEXTBOOK, check_model
from vaenb.errors import InputError
from vaenb.settings import as_code, plain
from vaenb.view_models.layers import Layer, lay_out

if TYPE_CHECKING:
    from vaenb.records import Floats

DEFAULTS: Final[dict[str, Any]] = {
    "latent_dim": 8,
    "hidden": None,
    "encoder": "dense",
    "likelihood": "normal",
    "scale": "per_point",
    "prior": "standard",
    "kl_weight": 1.0,
    "seed": 0,
}
N_DRAWN: Final = 6  # windows from the prior
_MOST_LAYERS: Final = 100


class ModelView:
    """What the panel of step 2 knows.

    Parameters
    ----------
    window_size : int
    n_channels : int
    **settings
        As `vaenb.VAE` takes them.

    Attributes
    ----------
    drawn : ndarray of shape (n, window_size, n_channels), or None
        Windows from the prior, through the decoder.
    drawn_with : dict or None
        The settings that they were drawn with.

    Raises
    ------
    InputError
        If there is no such setting, or it cannot have this value.
    """

    def __init__(self, window_size: int, n_channels: int = 1, **settings: Any) -> None:
        self._settings: dict[str, Any] = {"window_size": 1, "n_channels": 1, **DEFAULTS}
        self.drawn: Floats | None = None
        self.drawn_with: dict[str, Any] | None = None
        self.choose(window_size=window_size, n_channels=n_channels, **settings)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings now; ``vaenb.VAE(**settings)`` takes them. `hidden` is None for the encoder's own."""
        return dict(self._settings)

    @property
    def full(self) -> dict[str, Any]:
        """The same, with the layers' sizes where `hidden` is None."""
        return check_model(**self._settings)

    def choose(self, **changes: Any) -> bool:
        """Change some settings; say whether any is another than before.

        Raises
        ------
        InputError
            If there is no such setting, or it cannot have this value; nothing changes then.
        """
        unknown = [name for name in changes if name not in self._settings]
        if unknown:
            raise InputError(
                f"There is no setting {unknown[0]!r}; expected some of: {', '.join(self._settings)}."
            )
        wanted = {**self._settings, **{name: plain(value) for name, value in changes.items()}}
        checked = check_model(**wanted)
        if len(checked["hidden"]) > _MOST_LAYERS:
            raise InputError(f"hidden has {len(checked['hidden'])} layers; expected at most {_MOST_LAYERS}.")
        own = wanted["hidden"] is None or tuple(checked["hidden"]) == DEFAULT_HIDDEN[checked["encoder"]]
        checked["hidden"] = None if own else tuple(checked["hidden"])
        if checked == self._settings:
            return False
        self._settings = checked
        return True

    def choose_encoder(self, kind: str) -> bool:
        """Another kind of network, with the sizes that are usual for it."""
        return self.choose(encoder=kind, hidden=None)

    def choose_textbook(self) -> bool:
        """The model of the textbook: Dense 32, two latent dimensions, and the binary cross-entropy."""
        return self.choose(**{**DEFAULTS, "seed": self._settings["seed"], **TEXTBOOK})

    def choose_defaults(self) -> bool:
        """The settings that work on an unknown series."""
        return self.choose(**DEFAULTS)

    @property
    def is_textbook(self) -> bool:
        """Whether this is the textbook's model."""
        wanted = {**DEFAULTS, **TEXTBOOK, "seed": self._settings["seed"]}
        return all(self._settings[name] == value for name, value in wanted.items())

    # ------------------------------------------------------------------ the network

    @property
    def layers(self) -> list[Layer]:
        """From the window to its reconstruction."""
        return lay_out(self.full)

    @property
    def n_params(self) -> int:
        """Numbers that the training finds."""
        return sum(layer.n_params for layer in self.layers)

    def params_of(self, part: str) -> int:
        """Those of the encoder, the latent (the prior's), or the decoder."""
        return sum(layer.n_params for layer in self.layers if layer.part == part)

    # ------------------------------------------------------------------ windows from the prior

    def keep_drawn(self, windows: Any) -> None:
        """Keep windows that were drawn with the present settings.

        Raises
        ------
        InputError
            If they have another shape than the settings say.
        """
        import numpy as np

        found = np.asarray(windows, dtype=np.float64)
        expected = (self._settings["window_size"], self._settings["n_channels"])
        if found.ndim != 3 or found.shape[1:] != expected:
            raise InputError(
                f"sample gave an array of shape {found.shape}; expected (n, {expected[0]}, {expected[1]}): "
                "windows of the present settings."
            )
        self.drawn, self.drawn_with = found, self.settings

    @property
    def is_drawn_fresh(self) -> bool:
        """Whether the drawn windows are those of the present settings."""
        return self.drawn_with == self._settings

    # ------------------------------------------------------------------ as code

    def code(self) -> str:
        """The line that builds the model: only what differs from the defaults."""
        defaults = {"window_size": None, "n_channels": 1, **DEFAULTS}
        return "import vaenb\n\nvae = " + as_code("vaenb.VAE", self._settings, defaults)
