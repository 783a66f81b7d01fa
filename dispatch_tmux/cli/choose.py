"""What a person is asked and told while a model is chosen."""

from __future__ import annotations

import click

from dispatch_tmux.cli import common
from dispatch_tmux.verbs.resolve import Chooser, is_configured


class Telling(Chooser):
    """Says what was changed on the way."""

    def tell(self, text: str) -> None:
        click.echo(text, err=True)


class Asking(Telling):
    """Asks the person about the default model, and makes a configuration where there is none."""

    def begin(self, model: str) -> None:
        asks = common.is_terminal()
        if model != "demo" and (asks or (self.use_default and not model)) and not is_configured():
            from dispatch_tmux.cli.init import set_up

            self.confirm(set_up(self.use_default or bool(model), "", False))

    def agrees(self, default: str, model: str) -> bool:
        if self.use_default or not common.is_terminal():
            return self.use_default
        which = f"{default} ({model})" if model not in ("", default) else default
        return click.confirm(f"No model is named. Use {which}?", default=True)
