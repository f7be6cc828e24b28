r"""Make the font that grids and charts are set in: a small subset with Latin, Greek, Cyrillic, signs and Hangul.

Latin, Greek, Cyrillic, punctuation and arrows come from Source Sans 3, the 2,350 Hangul syllables of KS X 1001 and the
single letters from Noto Sans CJK KR, whose Latin is Source Sans as well. Both are under the SIL Open Font License 1.1.
"Source" is a reserved name there, so what comes out is called Lookalike Sans. Run it in an environment with fonttools
and cffsubr, on SourceSans3-Regular.otf (npm package source-sans 3.52.0) and NotoSansCJK-Regular.ttc (Debian package
fonts-noto-cjk 1:20220127):

    python tools/make_font.py SourceSans3-Regular.otf NotoSansCJK-Regular.ttc \
        src/lookalike/drawing/fonts/LookalikeSans-Regular.otf
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cffsubr
from fontTools.fontBuilder import FontBuilder
from fontTools.misc.transform import Transform
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.transformPen import TransformPen
from fontTools.ttLib import TTCollection, TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

LICENCE = "This Font Software is licensed under the SIL Open Font License, Version 1.1. https://openfontlicense.org"
COPYRIGHT = (
    "Copyright 2010-2024 Adobe (http://www.adobe.com/), with Reserved Font Name 'Source'. "
    "Copyright 2014-2021 Adobe (http://www.adobe.com/), with Reserved Font Name 'Source'."
)


def western() -> Iterator[int]:
    """Code points taken from Source Sans 3, where it has them."""
    yield from range(0x20, 0x7F)
    yield from range(0xA0, 0x180)  # Latin-1, Latin Extended-A
    yield from (0x192, 0x218, 0x219, 0x21A, 0x21B, 0x2C6, 0x2C7, *range(0x2D8, 0x2DE))
    yield from range(0x300, 0x30D)  # combining marks: names that no single character can hold
    yield from range(0x384, 0x3CF)
    yield from range(0x400, 0x460)
    yield from (0x490, 0x491, 0x1E9E)
    yield from range(0x2010, 0x2045)
    yield from (0x2070, *range(0x2074, 0x207F), *range(0x2080, 0x208F), 0x20A9, 0x20AC, 0x2116, 0x2122, 0x2126)
    yield from range(0x2190, 0x219A)
    yield from (0x2202, 0x2206, 0x220F, 0x2211, 0x2212, 0x221A, 0x221E, 0x222B, 0x2248, 0x2260, 0x2264, 0x2265)
    yield from (0x25A0, 0x25A1, 0x25B2, 0x25B6, 0x25BC, 0x25C6, 0x25CA, 0x25CB, 0x25CF, 0x2605, 0x2713, 0x2717, 0xFFFD)


def korean() -> Iterator[int]:
    """Code points taken from Noto Sans CJK KR."""
    yield from (0x3000, 0x3001, 0x3002, *range(0x3008, 0x3012), 0x2713, 0x2605, 0x2606)
    yield from range(0x3131, 0x318F)  # single letters
    for lead in range(0xB0, 0xC9):  # the rows of KS X 1001 that hold its 2,350 syllables
        for trail in range(0xA1, 0xFF):
            yield ord(bytes([lead, trail]).decode("euc-kr"))


def make(western_file: Path, korean_file: Path, out: Path) -> None:
    """Draw the wanted glyphs of both fonts into a new CFF font of 1,000 units, unhinted, with kerning for ASCII."""
    latin = TTFont(western_file)
    cjk = next(f for f in TTCollection(korean_file).fonts if f["name"].getDebugName(4) == "Noto Sans CJK KR")
    scale = cjk["hmtx"][cjk.getBestCmap()[ord("n")]][0] / latin["hmtx"][latin.getBestCmap()[ord("n")]][0]
    charstrings, metrics, cmap = {}, {}, {}

    def add(font: TTFont, source: str, name: str, by: float) -> None:
        glyphs = font.getGlyphSet()
        drawn = DecomposingRecordingPen(glyphs)
        glyphs[source].draw(drawn)
        width = round(font["hmtx"][source][0] * by)
        pen = T2CharStringPen(width, None)
        drawn.replay(TransformPen(pen, Transform(by, 0, 0, by, 0, 0)))
        charstrings[name] = pen.getCharString()
        metrics[name] = (width, 0)

    add(cjk, ".notdef", ".notdef", 1.0)
    for font, wanted, by in ((latin, western(), scale), (cjk, korean(), 1.0)):
        have = font.getBestCmap()
        for code in wanted:
            name = f"uni{code:04X}"
            if code in have and name not in charstrings:
                add(font, have[code], name, by)
                cmap[code] = name

    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder(list(charstrings))
    builder.setupCharacterMap(cmap)
    builder.setupCFF("LookalikeSans-Regular", {"FullName": "Lookalike Sans"}, charstrings, {})
    builder.setupHorizontalMetrics(metrics)
    builder.setupHorizontalHeader(ascent=1160, descent=-288)
    names = {"familyName": "Lookalike Sans", "styleName": "Regular", "fullName": "Lookalike Sans"}
    builder.setupNameTable(
        {**names, "psName": "LookalikeSans-Regular", "copyright": COPYRIGHT, "licenseDescription": LICENCE}, mac=False
    )
    builder.setupOS2(sTypoAscender=1160, sTypoDescender=-288, usWinAscent=1160, usWinDescent=288)
    builder.setupPost(keepGlyphNames=False)
    builder.font["kern"] = kerning(latin, scale)
    builder.font["head"].created = builder.font["head"].modified = 0  # the same bytes every time
    builder.font.recalcTimestamp = False
    cffsubr.subroutinize(builder.font)
    builder.save(out)
    print(f"{out}: {len(cmap):,} characters, {out.stat().st_size / 1000:.0f} kB")


def kerning(font: TTFont, scale: float) -> KernTable_format_0:
    """The pair kerning of printable ASCII, flattened out of the font's GPOS lookups."""
    name_of = {code: name for code, name in font.getBestCmap().items() if 0x20 < code < 0x7F}
    gpos = font["GPOS"].table
    wanted = {i for f in gpos.FeatureList.FeatureRecord if f.FeatureTag == "kern" for i in f.Feature.LookupListIndex}
    subtables = []
    for index in sorted(wanted):
        for table in gpos.LookupList.Lookup[index].SubTable:
            real = table.ExtSubTable if table.LookupType == 9 else table
            if real.LookupType == 2:
                subtables.append(real)
    pairs = {}
    for left, left_name in name_of.items():
        for right, right_name in name_of.items():
            units = next((u for t in subtables if (u := pair_value(t, left_name, right_name)) is not None), 0)
            if abs(units) >= 5:
                pairs[f"uni{left:04X}", f"uni{right:04X}"] = round(units * scale)
    table = newTable("kern")
    table.version, flat = 0, KernTable_format_0()
    flat.coverage, flat.tupleIndex, flat.kernTable = 1, None, pairs
    table.kernTables = [flat]
    return table


def pair_value(table, left: str, right: str) -> int | None:
    """What one GPOS pair subtable says about a pair of glyphs; None when it says nothing."""
    if left not in table.Coverage.glyphs:
        return None
    if table.Format == 1:
        records = table.PairSet[table.Coverage.glyphs.index(left)].PairValueRecord
        found = [r.Value1 for r in records if r.SecondGlyph == right]
        if not found:
            return None
        value = found[0]
    else:
        row = table.Class1Record[table.ClassDef1.classDefs.get(left, 0)]
        value = row.Class2Record[table.ClassDef2.classDefs.get(right, 0)].Value1
    return getattr(value, "XAdvance", 0) if value is not None else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("western_file", "korean_file", "out"):
        parser.add_argument(name, type=Path)
    make(**vars(parser.parse_args()))
