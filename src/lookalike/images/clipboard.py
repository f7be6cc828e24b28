"""What the system's clipboard holds -> pictures to ask with."""

import subprocess
from pathlib import Path

from PIL import Image, ImageGrab, UnidentifiedImageError

from lookalike.errors import ImageError
from lookalike.images.sources import NamedImage

NAME = "the clipboard"


def clipboard_images() -> list[Path | NamedImage]:
    """The picture in the clipboard; of copied files their paths.

    Raises: ImageError, where there is none, or the system has no clipboard that can be read.
    """
    try:
        found = ImageGrab.grabclipboard()
    except NotImplementedError as error:
        raise ImageError(f"{NAME} cannot be read here. Install wl-clipboard or xclip, or save the picture.") from error
    except (OSError, subprocess.SubprocessError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise ImageError(f"{NAME} cannot be read ({said}). Save the picture and ask with it.") from error
    if not found:
        raise ImageError(f"{NAME} holds no picture. Copy one first.", "not a picture")
    return [NamedImage(NAME, found)] if isinstance(found, Image.Image) else [Path(one) for one in found]
