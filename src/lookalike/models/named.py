"""Speaking names of backbones on the hub: good choices, each with what it is for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NamedModel:
    """A model of the hub that has a name here.

    Attributes:
        repository: OWNER/MODEL.
        licence: of its weights.
        megabytes: of the download, about.
        purpose: what it is for, in a few words.
        words: whether it can be asked in words.
        gated: whether its owner must be asked on its page first.
        revision: a commit; "" for the newest, where no commit is known to hold every file that is read.
    """

    repository: str
    licence: str
    megabytes: int
    purpose: str
    words: bool = False
    gated: bool = False
    revision: str = ""

    @property
    def address(self) -> str:
        """What the hub is asked for."""
        return f"{self.repository}@{self.revision}" if self.revision else self.repository


NAMED = {
    "clip": NamedModel(
        "openai/clip-vit-base-patch32", "MIT", 605, "words in English; the fastest of those with words", words=True
    ),
    "siglip2": NamedModel(
        "google/siglip2-base-patch16-224",
        "Apache-2.0",
        1500,
        "words in many languages, Korean among them; what is in a picture",
        words=True,
    ),
    "dinov2": NamedModel("facebook/dinov2-small", "Apache-2.0", 88, "one object or place again; parts and textures"),
    "dinov3": NamedModel(
        "facebook/dinov3-vits16-pretrain-lvd1689m",
        "DINOv3 License",
        86,
        "as dinov2, trained on ten times the pictures",
        gated=True,
    ),
}
WITH_WORDS = [name for name, one in NAMED.items() if one.words]
