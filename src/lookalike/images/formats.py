"""The first bytes of a file -> the picture format in it, or what it is instead: endings are not believed."""

import re
from pathlib import PurePath

from lookalike.errors import ImageError

HEAD = 4096  # bytes from the beginning of a file that are enough to tell what it is

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
)

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}

# Pictures that people have, but that nothing here can read.
_UNREAD = (
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"gimp xcf", "a GIMP picture"),
    (b"v/1\1", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"FUJIFILMCCD-RAW", "a camera's raw photo"),
    (b"IIRO", "a camera's raw photo"),
    (b"IIU\0", "a camera's raw photo"),
    (b"SIMPLE  =", "a FITS picture"),
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
_ENDINGS = re.compile(
    r"jpe?g|jpe|jfif|mpo|a?png|gif|webp|tiff?|bmp|dib|jp2|j2[kc]|jp[fx]|avifs?|hei[cf]|hif|ico|tga|vda|icb|vst"
    r"|p[pgbnf]m|psd|qoi|svg|jxl|xcf|exr|hdr|cr3|raf|orf|rw2|dng|cr2|crw|nef|nrw|arw|pef|srw"
)

_RAW_ENDINGS = re.compile(r"dng|cr2|crw|nef|nrw|arw|pef|srw")


def detect_format(head: bytes, name: str | None = None) -> str:
    """The format of a picture file: "JPEG", "PNG", "HEIC" ...

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
        raise ImageError(_unread("a camera's raw photo"), "unsupported")
    if format:
        return format
    if not head:
        kind = "broken" if name is None or _ENDINGS.fullmatch(ending) else "not a picture"
        raise ImageError("empty file (0 bytes). It will be tried again when it changes.", kind)
    if unread := _named(head, _UNREAD) or _unread_by_structure(head):
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
    sizes = []
    if format == "ICO":
        for at in range(6, 6 + 16 * _little(content[4:6]), 16):
            inner = content[_little(content[at + 12 : at + 16]) :][:24]
            if inner.startswith(b"\x89PNG") and len(inner) == 24:
                sizes.append((int.from_bytes(inner[16:20], "big"), int.from_bytes(inner[20:24], "big")))
            elif len(inner) == 24 and inner[:4] == b"\x28\0\0\0":
                sizes.append((_little(inner[4:8]), _little(inner[8:12]) // 2))  # a picture and its mask
    return sizes


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
    if head[4:12] == b"ftypcrx ":
        return "a camera's raw photo"
    if head[128:132] == b"DICM":
        return "a DICOM picture"
    return "an SVG drawing" if re.search(rb"<svg[\s>]", head[:1024]) else None


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
