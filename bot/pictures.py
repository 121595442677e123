"""The pictures that screens and pushes name: drawn from name and parameters, after the commit, as PNG.

`render("branch", …)` shows how far a branch has come; `render("progress", …)` the member's own year.
Lengths are pixels of a picture 1080 wide, which a phone shows at a third of that: 43 here is 14 there.
matplotlib takes a second to import, so it is imported only where something is drawn.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints, model_validator

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

WIDTH, MARGIN = 1080, 56
INNER = WIDTH - 2 * MARGIN
DPI = 72  # so that a point, matplotlib's unit of type and lines, is a pixel
LINE = 1.36  # pitch of lines: capitals with two marks (Ế, Ữ) stay clear of the line above
BAR, MARK_RADIUS = 52, 44
SEGMENTS_MOST = 12  # up to here a bar is cut in pieces that can be counted
LETTERS_MOST = 80  # of one word: more than any line holds
COUNT_MOST = 999_999  # more digits would leave no room for the bar
SLIVER = 10  # what one in a thousand looks like: begun is never shown as nothing, nor nearly done as done
GROUND, INK, QUIET, ACCENT = "#FBF8F4", "#26211C", "#5F564C", "#B3261E"
FILL, TRACK, EDGE = "#2F5568", "#EAE3D9", "#8F8478"  # dark on light: apart in grey, too


class Type(NamedTuple):
    size: int
    lines: int  # what is longer ends in “…”
    bold: bool = False
    color: str = INK


TITLE = Type(58, 3, bold=True)
SUBTITLE = Type(42, 3, color=QUIET)
LABEL = Type(43, 3)
COUNT = Type(48, 1, bold=True)
MARK = Type(40, 3)

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Count = Annotated[StrictInt, Field(ge=0, le=COUNT_MOST)]


class UnknownPicture(KeyError):  # noqa: N818 - it names what happened, as LookupError does
    def __str__(self) -> str:
        return f"no picture is called “{self.args[0]}”; there are: {', '.join(PICTURES)}"


class _Params(BaseModel):
    # Names of people and branches stay out of error messages, and so out of logs.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Bar(_Params):
    label: Text
    done: Count
    of: Count  # 0: there is nothing to do, and the bar says so

    @model_validator(mode="after")
    def _within(self) -> Bar:
        if self.done > self.of:
            raise ValueError(f"done (found {self.done}) must not exceed of (found {self.of})")
        return self

    @property
    def count(self) -> str:
        return f"{self.done}/{self.of}" if self.of else "–"


class Mark(_Params):
    label: Text
    done: StrictBool


class Branch(_Params):
    title: Text
    subtitle: str
    rows: tuple[Bar, ...] = Field(min_length=1, max_length=6)


class Progress(_Params):
    title: Text
    subtitle: str
    standards: tuple[Bar, ...] = Field(min_length=1, max_length=6)
    marks: tuple[Mark, ...] = Field(max_length=6)  # none: the plan asks for neither pledge nor reflection


PICTURES: dict[str, type[Branch] | type[Progress]] = {"branch": Branch, "progress": Progress}


def render(name: str, params: Mapping[str, Any]) -> bytes:
    """PNG, 1080 pixels wide; the same parameters give the same bytes. Safe in any thread.

    Raises UnknownPicture, or ValueError (pydantic's) that says which parameter was expected to be what.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    png = BytesIO()
    FigureCanvasAgg(draw(name, params)).print_png(png, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return png.getvalue()


def draw(name: str, params: Mapping[str, Any]) -> Figure:
    """The figure behind `render`, which tests measure."""
    if name not in PICTURES:
        raise UnknownPicture(name)
    content = PICTURES[name].model_validate(dict(params))
    sheet = _Sheet()
    sheet.heading(content.title, content.subtitle)
    sheet.bars(content.standards if isinstance(content, Progress) else content.rows)
    if isinstance(content, Progress) and content.marks:
        sheet.marks(content.marks)
    height = round(sheet.y + MARGIN)
    sheet.figure.set_size_inches(WIDTH / DPI, height / DPI)
    sheet.down.scale(1, -1).translate(0, height)
    return sheet.figure


class _Sheet:
    """A figure filled from the top: `y` is where the next thing goes, in pixels below the upper edge."""

    def __init__(self) -> None:
        from matplotlib.figure import Figure
        from matplotlib.textpath import TextToPath
        from matplotlib.transforms import Affine2D

        self.figure = Figure(figsize=(WIDTH / DPI, 1), dpi=DPI, facecolor=GROUND)
        self.down = Affine2D()  # completed by `draw`, when the height is known
        self.ruler = TextToPath()
        self.y: float = MARGIN

    def heading(self, title: str, subtitle: str) -> None:
        top, indent, room = self.y, 36, INNER - 36
        # The narrowest that costs neither letters nor lines: a name is not left with its last word alone.
        shapes = [self.wrapped(title, TITLE, room * share) for share in (0.6, 0.7, 0.8, 0.9, 1)]
        rows = min(shapes, key=lambda rows: (-len("".join(rows).replace(" ", "")), len(rows)))
        self.write(rows, TITLE, MARGIN + indent, "left")
        if subtitle.strip():
            self.write(self.wrapped(subtitle, SUBTITLE, room), SUBTITLE, MARGIN + indent, "left")
        self.line([(MARGIN + 6, top), (MARGIN + 6, self.y)], ACCENT, 12)
        self.y += 20

    def bars(self, bars: Sequence[Bar]) -> None:
        length = INNER - 32 - max(self.width(bar.count, COUNT) for bar in bars)  # one for all: they can be compared
        for bar in bars:
            self.y += 38
            self.write(self.wrapped(bar.label, LABEL, INNER), LABEL, MARGIN, "left")
            self.y += 10
            self.bar(bar, length)
            self.y += (BAR - COUNT.size * LINE) / 2
            self.write([bar.count], COUNT, WIDTH - MARGIN, "right")

    def bar(self, bar: Bar, length: float) -> None:
        from matplotlib.patches import FancyBboxPatch, Rectangle

        def outline(**paint: Any) -> FancyBboxPatch:
            return FancyBboxPatch((MARGIN, self.y), length, BAR, f"round,pad=0,rounding_size={BAR / 4}", **paint)

        track = outline(facecolor=TRACK, linewidth=0)
        self.add(track)
        if bar.done > 0:
            part = length * bar.done / bar.of
            filled = length if bar.done == bar.of else min(max(part, SLIVER), length - SLIVER)
            done = Rectangle((MARGIN, self.y), filled, BAR, color=FILL, linewidth=0)
            self.add(done)
            done.set_clip_path(track)
        for piece in range(1, bar.of if bar.of <= SEGMENTS_MOST else 0):
            x = MARGIN + length * piece / bar.of
            self.line([(x, self.y + 1), (x, self.y + BAR - 1)], GROUND if piece < bar.done else EDGE, 3)
        self.add(outline(fill=False, edgecolor=EDGE, linewidth=3, linestyle="-" if bar.of else (0, (4, 4))))
        if 0 < bar.done == bar.of:
            self.tick(MARGIN + length - BAR / 2 - 8, self.y + BAR / 2, BAR / 3)

    def marks(self, marks: Sequence[Mark]) -> None:
        from matplotlib.patches import Circle

        self.y += 50
        self.line([(MARGIN, self.y), (WIDTH - MARGIN, self.y)], TRACK, 4)
        self.y += 44 + MARK_RADIUS
        middle, bottom, column = self.y, self.y, INNER / len(marks)
        for place, mark in enumerate(marks):
            x = MARGIN + column * (place + 0.5)
            face, edge = (FILL, FILL) if mark.done else (GROUND, EDGE)
            self.add(Circle((x, middle), MARK_RADIUS - 3, facecolor=face, edgecolor=edge, linewidth=6))
            if mark.done:
                self.tick(x, middle, MARK_RADIUS / 2)
            self.y = middle + MARK_RADIUS + 12
            self.write(self.wrapped(mark.label, MARK, column - 16), MARK, x, "center")
            bottom = max(bottom, self.y)
        self.y = bottom

    def tick(self, x: float, y: float, radius: float) -> None:
        corners = [(x - radius, y), (x - radius * 0.3, y + radius * 0.7), (x + radius, y - radius * 0.7)]
        self.line(corners, GROUND, radius * 0.4)  # drawn, not written: no font has to have it

    def line(self, points: Sequence[tuple[float, float]], color: str, width: float) -> None:
        from matplotlib.lines import Line2D

        xs, ys = zip(*points, strict=True)
        self.add(Line2D(xs, ys, color=color, linewidth=width, solid_capstyle="butt", solid_joinstyle="miter"))

    def add(self, artist: Artist) -> None:
        artist.set_transform(self.down)
        self.figure.add_artist(artist)

    def write(self, rows: Sequence[str], kind: Type, x: float, align: Literal["left", "center", "right"]) -> None:
        for row in rows:
            baseline = self.y + kind.size * (LINE + 0.7) / 2  # centres capitals in the line
            text = self.figure.text(x, baseline, row, transform=self.down, font=_font(kind), color=kind.color)
            text.set(ha=align, va="baseline", parse_math=False)  # a $ is a $
            self.y += kind.size * LINE

    def wrapped(self, words: str, kind: Type, room: float) -> list[str]:
        """Lines no wider than `room`, at most `kind.lines`; broken after a comma where that leaves most of a line."""
        rows = [""]
        # Composed letters (NFC): rosters from some programs carry marks apart, which fonts place badly.
        for word in unicodedata.normalize("NFC", words).split():
            row = rows[-1]
            if row and self.width(f"{row} {word}", kind) > room:
                comma = row.rfind(", ") + 1
                cut = comma if comma > len(row) * 2 / 3 else len(row)
                rows[-1:] = [row[:cut], row[cut:].strip()]
            rows[-1] = f"{rows[-1]} {word[:LETTERS_MOST]}".strip()
        if len(rows) > kind.lines:
            rows = [*rows[: kind.lines - 1], rows[kind.lines - 1] + "…"]
        for place in range(len(rows)):
            while self.width(rows[place], kind) > room:
                rows[place] = rows[place][:-2].rstrip() + "…"
        return rows

    def width(self, text: str, kind: Type) -> float:
        return self.ruler.get_text_width_height_descent(text, _font(kind), False)[0]


def _font(kind: Type) -> FontProperties:
    import matplotlib
    from matplotlib.font_manager import FontProperties

    # A file that comes with matplotlib: a DejaVu of the system may be another version, with other widths.
    file = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans{'-Bold' if kind.bold else ''}.ttf"
    return FontProperties(fname=file, size=kind.size)
