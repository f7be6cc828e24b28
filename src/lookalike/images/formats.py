"""The first bytes of a file -> the picture format in it, or what it is instead: endings are not believed."""

import re
from pathlib import PurePath

from lookalike.errors import ImageError
from lookalike.images.av1 import av1_sizes

HEAD = 4096  # bytes from the beginning of a file that are enough to tell what it is

RAW = "RAW"  # what begins like a camera's raw photo
_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS\0\1", "PSD"),
    (b"qoif", "QOI"),
    (b"MMOR", RAW),
    (b"IIRS", RAW),
    (b"IIRO", RAW),
    (b"II\x1a\0\0\0HEAPCCDR", RAW),
    (b"FOVb", RAW),
    (b"\0MRM", RAW),
    (b"MRM\0", RAW),
    (b"IIU\0", RAW),
    (b"FUJIFILMCCD-RAW", RAW),
)

_SLOW_BYTES = 8_000_000
_PNM_HEADER_BYTES = 16_384  # room for comments, which Pillow reads byte by byte
_PNM_HEADER = re.compile(rb"P(?:[14](?:(?:\s|#[^\r\n]*[\r\n])+\d+){2}|[2356](?:(?:\s|#[^\r\n]*[\r\n])+\d+){3}|f\s)\s")

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}

# Pictures that people have, but that nothing here can read.
_UNREAD = (
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"gimp xcf", "a GIMP picture"),
    (b"v/1\1", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"SIMPLE  =", "a FITS picture"),
    (b"DDS ", "a DirectDraw texture"),
    (b"8BPS\0\2", "a large Photoshop document (PSB)"),
    (b"BPG\xfb", "a BPG picture"),
    (b"FLIF", "a FLIF picture"),
    (b"AT&TFORM", "a DjVu document"),
    (b"\x59\xa6\x6a\x95", "a Sun raster picture"),
    (b"\x01\xda\0\1", "an SGI picture"),
    (b"\x01\xda\1\1", "an SGI picture"),
    (b"icns", "an icon of macOS"),
    (b"\xd7\xcd\xc6\x9a", "a Windows drawing (WMF)"),
    (b"II\xbc\1", "a JPEG XR picture"),
    (b"\xabKTX", "a texture"),
    (b"/* XPM */", "an X pixmap"),
)

_OTHER = (
    (b"%PDF", "a PDF document"),
    (b"%!PS", "a PostScript document"),
    (b"PK\3\4", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x1a\x45\xdf\xa3", "a video"),
    (b"\0\0\1\xba", "a video"),
    (b"\0\0\1\xb3", "a video"),
    (b"FLV\1", "a video"),
    (b"OggS", "a sound"),
    (b"ID3", "a sound"),
    (b"\xff\xfb", "a sound"),
    (b"fLaC", "a sound"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3", "a database"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x89HDF", "an HDF5 file"),
)

# Files that call themselves pictures. Those of the second list are TIFF by their first bytes; what would decode is a
# thumbnail, not the photo.
_RAW = (
    "3fr|ari|arw|bay|cap|cr2|cr3|crw|dcr|dcs|dng|drf|eip|erf|fff|gpr|iiq|k25|kdc|mdc|mef|mos|mrw|nef|nrw|orf|ori|pef"
    "|ptx|pxn|r3d|raf|raw|rw2|rwl|rwz|sr2|srf|srw|x3f"
)
_ENDINGS = re.compile(
    r"jpe?g|jpe|jfif|mpo|a?png|gif|webp|tiff?|bmp|dib|jp2|j2[kc]|jp[fx]|avifs?|hei[cf]|hif|ico|tga|vda|icb|vst"
    r"|p[pgbnf]m|psd|psb|qoi|svg|jxl|jxr|wdp|hdp|xcf|exr|hdr|dds|pcx|djvu?|wmf|xpm|bpg|flif|icns|sgi|ras|" + _RAW
)
_RAW_ENDINGS = re.compile(_RAW)


def detect_format(head: bytes, name: str | None = None) -> str:
    """The format of a picture file: "JPEG", "PNG", "HEIC" ..., and "RAW" for a camera's raw photo.

    Raw photos that begin as TIFF does are told by their ending here, by what is in them in `raw_preview.is_raw_tiff`.

    Args:
        head: the file's first bytes; `HEAD` of them, or the whole file where that is shorter.
        name: the file's name, for the words of the error and for its kind: a text file called x.jpg is a broken
            picture, one called notes.txt is no picture.
    Raises: ImageError, for anything but a picture that can be read, saying what it is instead.

    >>> detect_format(b"GIF89a...", "photo.jpg")
    'GIF'
    >>> detect_format(b"Dear all,", "photo.jpg")
    Traceback (most recent call last):
    lookalike.errors.ImageError: a text file, not a picture. Give it its right ending, or take it out of the folder.
    """
    ending = PurePath(name or "").suffix[1:].lower()
    format = _known(head)
    if format == "TIFF" and (_RAW_ENDINGS.fullmatch(ending) or head[8:10] == b"CR"):
        return RAW
    if format:
        return format
    if not head:
        kind = "broken" if name is None or _ENDINGS.fullmatch(ending) else "not a picture"
        raise ImageError("empty file (0 bytes). It will be tried again when it changes.", kind)
    if unread := _named(head, _UNREAD) or _unread_by_structure(head) or _unread_by_ending(head, ending):
        raise ImageError(_unread(unread), "unsupported")
    what = _named(head, _OTHER) or _other_by_structure(head)
    if not _ENDINGS.fullmatch(ending):
        raise ImageError(f"{what or 'unknown data'}, not a picture.", "not a picture")
    if what is None:
        begins = head[:4].hex(" ")
        raise ImageError(
            f"no picture in it that lookalike knows (it begins with {begins}). Copy it again from where it came."
        )
    raise ImageError(f"{what}, not a picture. Give it its right ending, or take it out of the folder.")


def has_image_suffix(name: str) -> bool:
    """Whether a file's ending says that it is a picture, readable or not.

    >>> has_image_suffix("IMG_1.JPG"), has_image_suffix("notes.txt"), has_image_suffix("photo")
    (True, False, False)
    """
    _, dot, ending = name.rpartition(".")
    return bool(dot and _ENDINGS.fullmatch(ending.lower()))


def declared_sizes(format: str, content: bytes) -> list[tuple[int, int]]:
    r"""The sizes in pixels that a file declares, for the formats whose decoders take the memory before one can ask.

    Raises: ImageError, where a file declares two that cannot both be.

    >>> declared_sizes("WebP", b"RIFF    WEBPVP8X" + bytes(8) + b"\x0f\0\0" + b"\x1f\0\0")
    [(16, 32)]
    """
    if format == "WebP":
        kind, body = content[12:16], content[20:30]
        if kind == b"VP8X" and len(body) == 10:
            return [(_little(body[4:7]) + 1, _little(body[7:10]) + 1)]
        if kind == b"VP8L" and len(body) >= 5:
            bits = _little(body[1:5])
            return [((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)]
        return [(_little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF)] if len(body) == 10 else []
    sizes = av1_sizes(content) if format == "AVIF" else []
    if format == "ICO":
        for at in range(6, 6 + 16 * _little(content[4:6]), 16):
            inner = content[_little(content[at + 12 : at + 16]) :][:24]
            if inner.startswith(b"\x89PNG") and len(inner) == 24:
                sizes.append((int.from_bytes(inner[16:20], "big"), int.from_bytes(inner[20:24], "big")))
            elif len(inner) == 24 and inner[:4] == b"\x28\0\0\0":
                sizes.append((_little(inner[4:8]), _little(inner[8:12]) // 2))  # a picture and its mask
    return sizes


def check_slow(format: str, content: bytes) -> None:
    """Refuse what takes its decoder longer than some seconds: QOI and text in PNM are read at 1 to 3 MB a second.

    Raises: ImageError.

    >>> check_slow("PNM", b"P2 4000 4000 255 " + b"7 " * 16_000_000)
    Traceback (most recent call last):
    lookalike.errors.ImageError: a PNM of text of 32 MB, which would take too long: over the limit of 8. Save it as PNG.
    """
    what = "QOI" if format == "QOI" else "PNM of text" if format == "PNM" and content[1:2] in b"123" else None
    if what and len(content) > _SLOW_BYTES:
        millions = len(content) / 1e6
        raise ImageError(
            f"a {what} of {millions:,.0f} MB, which would take too long: over the limit of {_SLOW_BYTES / 1e6:.0f}. "
            "Save it as PNG.",
            "too large",
        )
    if format == "PNM" and not _PNM_HEADER.match(content, 0, _PNM_HEADER_BYTES):
        raise ImageError("the PNM has no width and height at its beginning. Save it anew.")


def is_truncated(format: str, content: bytes) -> bool:
    """Whether a file ends before the end that its own structure declares; for wording, not for deciding.

    >>> is_truncated("WebP", b"RIFF" + (100).to_bytes(4, "little") + b"WEBP")
    True
    """
    if format == "WebP":
        return _little(content[4:8]) + 8 > len(content)
    if format == "PNG":
        at, kind = 8, b"IHDR"
        while at + 8 <= len(content) and kind.isalpha() and kind != b"IEND":
            kind = content[at + 4 : at + 8]
            at += 12 + int.from_bytes(content[at : at + 4], "big")
        return kind.isalpha() and (kind != b"IEND" or at > len(content))
    if format == "BMP":
        return _little(content[2:6]) > len(content)
    if format in ("AVIF", "HEIC", "JPEG 2000"):
        at = 0
        while at + 8 <= len(content):
            size = int.from_bytes(content[at : at + 4], "big")
            if size < 8:  # 0: to the end of the file, 1: a 64-bit size
                return False
            at += size
        return at > len(content)
    return False


def _little(number: bytes) -> int:
    return int.from_bytes(number, "little")


def _known(head: bytes) -> str | None:
    if format := _named(head, _MAGIC):
        return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:12] == b"ftypcrx ":
        return RAW
    if head[4:8] == b"ftyp":
        # 12 to 16 is a version; the other brands follow to the end of the box
        brands = {head[8:12], *(head[i : i + 4] for i in range(16, min(int.from_bytes(head[:4], "big"), 256), 4))}
        return "AVIF" if brands & _AVIF_BRANDS else "HEIC" if brands & _HEIF_BRANDS else None
    if head[:2] == b"BM" and _little(head[14:18]) in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    if re.match(rb"P[1-6f]\s", head):
        return "PNM"
    if head[:4] == b"\0\0\1\0" and 0 < _little(head[4:6]) < 256 and len(head) >= 22:
        return "ICO"
    return "TGA" if _is_tga(head) else None


def _is_tga(head: bytes) -> bool:
    """TGA has no magic: its header must make sense (types, depths, and a palette only where one is used)."""
    if len(head) < 18:
        return False
    palette, kind, depth = head[1], head[2], head[16]
    first, length = _little(head[3:5]), _little(head[5:7])
    depths = {1: (8, 16), 9: (8, 16), 2: (15, 16, 24, 32), 10: (15, 16, 24, 32), 3: (1, 8, 16), 11: (1, 8, 16)}
    if depth not in depths.get(kind, ()) or not any(head[12:14]) or not any(head[14:16]) or head[17] & 0xC0:
        return False
    if palette == 0:
        return kind not in (1, 9) and first == length == 0
    return palette == 1 and kind in (1, 9) and length > 0 and head[7] in (15, 16, 24, 32)


def _named(head: bytes, table: tuple[tuple[bytes, str], ...]) -> str | None:
    return next((what for magic, what in table if head.startswith(magic)), None)


def _unread_by_structure(head: bytes) -> str | None:
    if head[128:132] == b"DICM":
        return "a DICOM picture"
    if head[:1] == b"\n" and head[1:2] in b"\0\2\3\4\5" and head[2:3] == b"\1" and head[3:4] in b"\1\2\4\x08":
        return "a PCX picture"
    return "an SVG drawing" if _is_svg(head) else None


def _unread_by_ending(head: bytes, ending: str) -> str | None:
    """A drawing whose first element lies beyond the head."""
    return "an SVG drawing" if ending == "svg" and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else None


def _is_svg(head: bytes) -> bool:
    """Whether the first element is <svg>, after declarations and comments, in UTF-8 or UTF-16."""
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "ignore")
    text = text.lstrip("\ufeff").lstrip()
    while text.startswith(("<?", "<!")):
        opening = "<!--" if text.startswith("<!--") else text[:2]
        closing = {"<!--": "-->", "<?": "?>"}.get(opening, "]>" if "[" in text.partition(">")[0] else ">")
        text = text.partition(closing)[2].lstrip()
    return re.match(r"<(\w+:)?svg[\s>]", text) is not None


def _other_by_structure(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return "a video"
    if head[:4] == b"RIFF":
        return "a sound" if head[8:12] == b"WAVE" else "a video"
    start = head[:1024].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if start.startswith(b"<?xml"):
        return "an XML file"
    return "a text file" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True  # UTF-16 with its mark
    text = head[:HEAD].decode("utf-8", "replace").rstrip("\ufffd")  # the last letter may be cut
    return bool(text) and "\ufffd" not in text and not re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text)


def _unread(what: str) -> str:
    return f"{what}, which lookalike does not read. Export it as JPEG or PNG."
