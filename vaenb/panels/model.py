"""Step 2 as a panel: the network with its shapes and parameters, its choices, and draws from the prior."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.formats import counted
from vaenb.panels.base import Panel, guarded
from vaenb.panels.model_choices import Choices, read_sizes
from vaenb.view_models import model_words
from vaenb.view_models.model import N_DRAWN, ModelView
from vaenb.view_models.model_picture import draw, drawn_windows, live

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    Sample = Callable[[dict[str, Any], int, int], ArrayLike]
    """Settings, how many, seed: windows from the prior, (n, window_size, n_channels)."""


class ModelPanel(Panel):
    """Step 2, build the VAE: encoder, latent space, decoder, and what each choice brings.

    Parameters
    ----------
    window_size : int
        Points in a window.
    n_channels : int
    sample : callable, optional
        ``sample(settings, n, seed)`` gives windows from the prior through the decoder, an array of shape
        (n, window_size, n_channels): `vaenb.sample_prior` is one.
    **settings
        Of `vaenb.VAE`: latent_dim, hidden, encoder, likelihood, scale, prior, kl_weight, seed.

    Raises
    ------
    InputError
        If there is no such setting, or it cannot have this value.

    Examples
    --------
    >>> import vaenb
    >>> panel = vaenb.ModelPanel(48, latent_dim=4)
    >>> print(panel.code())
    import vaenb
    <BLANKLINE>
    vae = vaenb.VAE(window_size=48, latent_dim=4)
    >>> panel.close()
    """

    title = "step 2, build the VAE"

    def __init__(
        self, window_size: int, n_channels: int = 1, *, sample: Sample | None = None, **settings: Any
    ) -> None:
        super().__init__()
        self.view = ModelView(window_size, n_channels, **settings)
        self._sample, self._draws = sample, 0
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self._heading, self._network, self._drawn = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._textbook = self._button("Textbook", "book", self.view.choose_textbook)
        self._defaults = self._button("Defaults", "undo", self.view.choose_defaults)
        self._choices = Choices(self.view, self._on_choice)
        self._draw_button = widgets.Button(
            description="Draw from the prior",
            icon="random",
            layout={"width": "180px"},
            disabled=sample is None,
        )
        self._draw_button.on_click(lambda _: self._on_draw())
        self._lay_out()
        self._show()

    def _button(self, text: str, icon: str, choose: Callable[[], bool]) -> widgets.Button:
        button = widgets.Button(description=text, icon=icon, layout={"width": "110px"})
        button.on_click(lambda _: self._on_button(choose))
        return button

    def _lay_out(self) -> None:
        for says, name in (
            (self._heading, "heading"),
            (self._network, "network"),
            (self._drawn, "drawn-windows"),
        ):
            says.add_class(f"vaenb-{name}")
        if self._sample is not None:
            self._drawn.add_class("vaenb-can-draw")
        head = widgets.HBox([self._heading, widgets.HBox([self._textbook, self._defaults])])
        head.add_class("vaenb-model-head")
        self.show(head, self._network, self._choices.box, self._draw_button, self._drawn)

    # ------------------------------------------------------------------ from Python

    @property
    def settings(self) -> dict[str, Any]:
        """The settings now: ``vaenb.VAE(**panel.settings)`` builds the model."""
        return self.view.settings

    def choose(self, **settings: Any) -> None:
        """Change settings, as the controls do; `window_size` and `n_channels` too.

        Raises
        ------
        InputError
            If there is no such setting, or it cannot have this value; nothing changes then.
        """
        with self.lock:
            if self.view.choose(**settings):
                self._follow()

    def on_change(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call `callback` with the settings after each change."""
        self._listeners.append(callback)

    def draw_samples(self) -> None:
        """Draw windows from the prior, others each time."""
        self._on_draw()

    # ------------------------------------------------------------------ gestures

    @guarded
    def _on_choice(self, name: str, value: Any) -> None:
        try:
            if name == "hidden":
                changed = self.view.choose(hidden=read_sizes(value))
            elif name == "encoder":
                changed = self.view.choose_encoder(value)
            else:
                changed = self.view.choose(**{name: value})
        finally:
            self._choices.show()
        if changed:
            self._follow()

    @guarded
    def _on_button(self, choose: Callable[[], bool]) -> None:
        if choose():
            self._follow()

    @guarded
    def _on_draw(self) -> None:
        if self._sample is None:
            return
        self._draw_button.description, self._draw_button.disabled = "Drawing \u2026", True
        try:
            seed = self.view.settings["seed"] + self._draws
            self.view.keep_drawn(self._sample(self.view.settings, N_DRAWN, seed))
            self._draws += 1
        finally:
            self._draw_button.description, self._draw_button.disabled = "Draw from the prior", False
            self._show_drawn()

    # ------------------------------------------------------------------ what follows from them

    def _follow(self) -> None:
        self._show()
        for listener in list(self._listeners):
            listener(self.view.settings)

    def _show(self) -> None:
        s = self.view.settings
        windows = f"windows of {counted(s['window_size'], 'point')}, {counted(s['n_channels'], 'channel')}"
        total = f"<b>{counted(self.view.n_params, 'parameter')}</b>"
        self._heading.value = f"{total} for {windows}" + (
            f"<br>{escape(model_words.TEXTBOOK)}" if self.view.is_textbook else "<br>&nbsp;"
        )
        self._network.value = live(self.view)
        self._choices.show()
        self._show_drawn()
        self.refresh_code()

    def _show_drawn(self) -> None:
        grid = drawn_windows(self.view)
        self._drawn.value = f"{grid}<p>{model_words.drawn(self.view, can_draw=self._sample is not None)}</p>"

    # ------------------------------------------------------------------ code and picture

    def code(self) -> str:
        """The line of Python that builds the model."""
        return self.view.code()

    def picture(self) -> str:
        """The network as a static SVG."""
        return draw(self.view)
