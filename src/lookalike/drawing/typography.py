"""Text on pictures: the bundled font, the system's fonts for what it lacks, and names cut to a width."""

import sys
import unicodedata
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

FINE = 4  # text is drawn this many times larger and averaged down: letters sit between pixels, on every machine alike

_NOWHERE = (
    "\U0010fffe"  # a code point that no font may hold: what is drawn for it is the font's box for missing letters
)

_FOLDERS = {
    "linux": ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts"),
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("C:/Windows/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts"),
}

_WELL_KNOWN = (  # in the order in which they are searched for a letter
    "NotoSansCJK-Regular.ttc", "NotoSansKR-Regular.otf", "AppleSDGothicNeo.ttc", "malgun.ttf", "NanumGothic.ttf",
    "Hiragino Sans GB.ttc", "ヒラギノ角ゴシック W3.ttc", "PingFang.ttc", "YuGothR.ttc", "msgothic.ttc", "msyh.ttc",
    "NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial Unicode.ttf", "segoeui.ttf", "seguisym.ttf", "Apple Symbols.ttf",
    "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf", "NotoSansThai-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf", "tahoma.ttf", "leelawui.ttf", "Nirmala.ttf", "Thonburi.ttc", "Geeza Pro.ttc",
)  # fmt: skip

_COLOURED = {"NotoColorEmoji.ttf": 109, "Apple Color Emoji.ttc": 160, "seguiemj.ttf": 0}  # their one size; 0: any size


@lru_cache(maxsize=1)
def _bundled() -> bytes:
    return (files("lookalike.drawing") / "fonts" / "LookalikeSans-Regular.otf").read_bytes()


@lru_cache(maxsize=1)
def _system_fonts() -> dict[str, Path]:
    """The well-known fonts of this machine, by file name."""
    wanted = {*_WELL_KNOWN, *_COLOURED}
    found: dict[str, Path] = {}
    for folder in _FOLDERS.get(sys.platform, _FOLDERS["linux"]):
        for path in sorted(Path(folder).expanduser().rglob("*.[to]t[fc]")):
            if path.name in wanted:
                found.setdefault(path.name, path)
    return found


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    """A font at a size in pixels, by file name; the empty name is the bundled one. None when it cannot be opened."""
    if not name:  # basic layout: the same places with and without the shaping library
        return ImageFont.truetype(BytesIO(_bundled()), size, layout_engine=ImageFont.Layout.BASIC)
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    try:
        return ImageFont.truetype(str(_system_fonts()[name]), _COLOURED.get(name, 0) or size, layout_engine=engine)
    except (OSError, KeyError):
        return None


@lru_cache(maxsize=16384)
def _has(name: str, letter: str) -> bool:
    font = _font(name, 32)
    if font is None:
        return False
    drawn, missing = (font.getmask(c, mode="L") for c in (letter, _NOWHERE))
    return (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))


@lru_cache(maxsize=16384)
def _font_for(letter: str) -> str | None:
    """The first font that can draw a letter: "" is the bundled one, None means that no font here can."""
    if _has("", letter):
        return ""
    coloured = [name for name in _COLOURED if name in _system_fonts()]
    plain = [name for name in _WELL_KNOWN if name in _system_fonts()]
    ordered = coloured + plain if ord(letter) >= 0x1F000 else plain + coloured
    return next((name for name in ordered if _has(name, letter)), None)


def _runs(text: str) -> list[tuple[str | None, str]]:
    """Text cut into stretches of one font each; marks and joiners stay with the letter before them."""
    runs: list[tuple[str | None, str]] = []
    for letter in text:
        follows = runs and (unicodedata.combining(letter) or letter in "\u200d\ufe0e\ufe0f" or "🏻" <= letter <= "🏿")
        joined = runs and runs[-1][1].endswith("\u200d")
        if runs and (follows or joined) and runs[-1][0]:
            font: str | None = runs[-1][0]
        elif letter in "\u200d\ufe0e\ufe0f":
            continue
        else:
            font = _font_for(letter)
        if runs and runs[-1][0] == font:
            runs[-1] = (font, runs[-1][1] + letter)
        else:
            runs.append((font, letter))
    return runs


def readable(name: str) -> str:
    r"""A file name as people read it: Hangul syllables composed, what has no shape (newlines, broken bytes) escaped.

    >>> readable("\u1112\u1161\u11ab.jpg")
    '한.jpg'
    >>> print(readable("two\nlines\udcff.jpg"))
    two\nlines\xff.jpg
    """
    letters = []
    for letter in unicodedata.normalize("NFC", name):
        if "\udc80" <= letter <= "\udcff":  # a byte that was no UTF-8, as os.fsdecode hands it on
            letters.append(f"\\x{ord(letter) - 0xDC00:02x}")
        elif unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") or letter in "\u202a\u202b\u202d\u202e":
            letters.append(letter.encode("unicode_escape").decode())
        else:
            letters.append(letter)
    return "".join(letters)


@lru_cache(maxsize=16384)
def text_width(text: str, size: int, *, bold: bool = False) -> float:
    """How wide text is, in pixels of the picture, at a size in pixels."""
    return sum(_run_width(name, run, size) for name, run in _runs(text)) + (0.5 if bold and text else 0)


def _run_width(name: str | None, run: str, size: int) -> float:
    if name is None:
        return len(run) * size * 0.7
    font = _font(name, size * FINE)
    assert font is not None  # a name comes from _font_for, which opened it
    shrink = (size * 1.15 / _COLOURED[name]) if _COLOURED.get(name) else 1 / FINE
    return float(font.getlength(run)) * shrink


def write(
    picture: Image.Image,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: str,
    *,
    bold: bool = False,
    align: str = "left",
) -> float:
    """Write one line on an RGB picture; `at` is the start (or middle, or end: `align`) of its baseline.

    Args:
        picture: what is written on, in place.
        at: x and y in pixels; fractions count.
        text: without line breaks.
        size: of the type, in pixels.
        colour: "#rrggbb".
        bold: a heavier weight, made by thickening.
        align: "left", "centre" or "right".
    Returns: the width of the line in pixels.
    """
    width = text_width(text, size, bold=bold)
    x, y = at
    x -= {"left": 0.0, "centre": width / 2, "right": width}[align]
    left, top = int(x) - 2, int(y) - 2 * size
    mask = Image.new("L", ((int(width) + 6) * FINE, 3 * size * FINE))
    pen, colours = ImageDraw.Draw(mask), []
    pen_x, pen_y = (x - left) * FINE, (y - top) * FINE
    for name, run in _runs(text):
        if name is None:
            for i in range(len(run)):
                _missing_letter(pen, pen_x + i * size * 0.7 * FINE, pen_y, size)
        elif _COLOURED.get(name):
            colours.append((pen_x / FINE, name, run))
        else:
            font = _font(name, size * FINE)
            stroke = max(0.6, size * FINE * 0.016) if bold else 0
            pen.text((pen_x, pen_y), run, fill=255, font=font, anchor="ls", stroke_width=stroke)
        pen_x += _run_width(name, run, size) * FINE
    picture.paste(colour, (left, top), mask.reduce(FINE))
    for from_left, name, run in colours:
        _paste_coloured(picture, (left + from_left, y), name, run, size)
    return width


def _missing_letter(pen: ImageDraw.ImageDraw, x: float, y: float, size: int) -> None:
    """The box that stands for a letter no font here can draw."""
    side = size * FINE
    pen.rounded_rectangle((x + 0.08 * side, y - 0.7 * side, x + 0.62 * side, y), 0.06 * side, outline=255, width=FINE)


def _paste_coloured(picture: Image.Image, at: tuple[float, float], name: str, run: str, size: int) -> None:
    """Emoji from a font of coloured bitmaps of one size, brought down to the size of the line."""
    font = _font(name, size)
    assert font is not None
    left, top, right, bottom = font.getbbox(run)
    sign = Image.new("RGBA", (max(1, round(right)), max(1, round(bottom))))
    ImageDraw.Draw(sign).text((0, 0), run, font=font, embedded_color=True)
    sign = sign.crop((int(left), int(top), sign.width, sign.height))
    shrink = size * 1.15 / _COLOURED[name]
    sign = sign.resize((max(1, round(sign.width * shrink)), max(1, round(sign.height * shrink))), Image.Resampling.BOX)
    picture.paste(sign, (round(at[0]), round(at[1] + 0.18 * size) - sign.height), sign)


@lru_cache(maxsize=4096)
def shortened(name: str, width: float, size: int, *, bold: bool = False) -> str:
    """A name cut in its middle until it fits a width in pixels; its end, with the ending of the file, is kept.

    >>> shortened("a-very-long-name-from-a-camera-0042.jpg", 150, 16)
    'a-very-…a-0042.jpg'
    """
    if text_width(name, size, bold=bold) <= width:
        return name
    letters = _clusters(name)
    low, high = 0, len(letters)
    while low < high:  # the most letters that fit
        middle = (low + high + 1) // 2
        if text_width(_without_middle(letters, middle), size, bold=bold) <= width:
            low = middle
        else:
            high = middle - 1
    return _without_middle(letters, low)


def _without_middle(letters: list[str], kept: int) -> str:
    """A bit more than half of what is kept is the end: that is where numbers and endings differ."""
    if kept >= len(letters):
        return "".join(letters)
    end = (kept * 11 + 19) // 20
    return "".join(letters[: kept - end]) + "…" + "".join(letters[len(letters) - end :])


def _clusters(text: str) -> list[str]:
    """Letters together with the marks and joiners that follow them."""
    letters: list[str] = []
    for letter in text:
        clings = unicodedata.combining(letter) or letter in "\u200d\ufe0e\ufe0f" or "🏻" <= letter <= "🏿"
        if letters and (clings or letters[-1].endswith("\u200d")):
            letters[-1] += letter
        else:
            letters.append(letter)
    return letters


def lines(text: str, width: float, size: int, *, most: int = 99, bold: bool = False) -> list[str]:
    """Text broken at spaces into lines of a width in pixels; what lies past the last line ends in an ellipsis.

    >>> lines("found the right picture first", 120, 16)
    ['found the right', 'picture first']
    """
    broken = [""]
    for word in text.split():
        longer = f"{broken[-1]} {word}".strip()
        if text_width(longer, size, bold=bold) <= width or not broken[-1]:
            broken[-1] = longer
        else:
            broken.append(word)
    if len(broken) > most:
        broken = [*broken[: most - 1], " ".join(broken[most - 1 :])]
        while broken[-1] and text_width(broken[-1] + "…", size, bold=bold) > width:
            broken[-1] = broken[-1][:-1].rstrip()
        broken[-1] += "…"
    return [shortened(line, width, size, bold=bold) for line in broken]
