"""Catalogues: Vietnamese is the source, English is translated; .po files are compiled in memory at start."""

import contextlib
import gettext
import io
from collections.abc import Generator
from pathlib import Path

from aiogram.utils.i18n import I18n
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent.parent / "content" / "locales"
DOMAIN = "tusoi"


class Translations(I18n):
    """aiogram's I18n, which looks for .mo files only: here the .po is enough, and nothing is written to disk."""

    def find_locales(self) -> dict[str, gettext.GNUTranslations]:
        found = {}
        for path in sorted(self.path.glob(f"*/LC_MESSAGES/{self.domain}.po")):
            compiled = io.BytesIO()
            with path.open("rb") as file:
                write_mo(compiled, read_po(file))
            compiled.seek(0)
            found[path.parent.parent.name] = gettext.GNUTranslations(compiled)
        return found

    @contextlib.contextmanager
    def context(self) -> Generator["Translations", None, None]:
        # aiogram keeps one “current” a class; its gettext() asks the base class.
        token = I18n.set_current(self)
        try:
            yield self
        finally:
            I18n.reset_current(token)


def load_translations() -> Translations:
    return Translations(path=LOCALES, default_locale="vi", domain=DOMAIN)
