"""Texts and pictures of CLIP, SigLIP and SigLIP 2 in one space: what transformers gives, and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.cosines import cosines
from support.elsewhere import DEVIATION, MEAN, WORDS, pictures
from support.words import TEXTS, theirs

from lookalike import Backbone
from lookalike.errors import BundleError
from lookalike.models.convert import convert, network, text_tower
from lookalike.models.text_engine import TextEngine

pytest.importorskip("transformers")
pytest.importorskip("sentencepiece")
LENGTHS = {"clip": 77, "siglip": 64, "siglip2": 64}


# The network of SigLIP 2 is that of SigLIP; the tokenizers of all three are compared in test_tokenizer_files.py.
KINDS = ["clip_words", "siglip2_words", pytest.param("siglip_words", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=KINDS)
def words(request, from_transformers):
    """A kind of tokenizer, the folder that its network was saved in, and the bundle that was made of it."""
    return WORDS[request.param], *from_transformers(request.param)


def reference(kind: str, folder: Path, texts: list[str], pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texts and pictures in the joint space, by transformers' own whole model and tokenizer."""
    import torch
    import transformers as t

    model = t.AutoModel.from_pretrained(folder).eval()
    values = ((pixels / 255 - MEAN) / DEVIATION).astype(np.float32).transpose(0, 3, 1, 2)
    ids = torch.from_numpy(theirs(kind, folder, texts, LENGTHS[kind]))
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=torch.from_numpy(values))
    return out.text_embeds.numpy(), out.image_embeds.numpy()


def test_texts_and_pictures_are_where_transformers_puts_them(words):
    kind, folder, bundle = words
    asked = pictures(bundle.side_px)
    texts, images = reference(kind, folder, TEXTS, asked)
    backbone = Backbone(bundle, precision="f32")
    part, share = bundle.joint
    ours, features = backbone.embed_text(TEXTS), backbone.embed(list(asked))
    assert cosines(ours[:, part], texts).min() > 0.9999
    assert cosines(features[:, part], images).min() > 0.9999
    assert not np.delete(ours, np.arange(part.start, part.stop), axis=1).any()
    expected = (texts / np.linalg.norm(texts, axis=1, keepdims=True)) @ (
        images / np.linalg.norm(images, axis=1, keepdims=True)
    ).T
    np.testing.assert_allclose(ours @ features.T / share, expected, atol=1e-3)  # tokens are kept in float16
    assert np.ptp(expected) > 0.2  # texts and pictures are told apart, so that the numbers above say something


def test_the_bundle_says_which_part_and_a_text_that_is_cut(words):
    kind, _, bundle = words
    assert (bundle.text.depth, bundle.text.tokenizer, bundle.depths[0].power) == ("features", kind, 1)
    assert bundle.depths[0].length == {"clip": 24}.get(kind, 32)
    engine = TextEngine(bundle, 1)
    assert [engine.is_cut(text) for text in TEXTS] == [False] * 8 + [True]
    assert {one.name for one in bundle.path.iterdir()} == {
        *("model.onnx", "backbone.json", "weights.safetensors", "config.json", "preprocessor_config.json"),
        *("text.onnx", "tokens.npy", "tokenizer.json"),
    }


def test_asking_in_words_loads_neither_torch_nor_transformers(from_transformers):
    _, bundle = from_transformers("clip_words")
    code = f"""
import sys
from lookalike import Backbone
print(Backbone({str(bundle.path)!r}).embed_text(["a red bag"]).shape)
print(sorted({{"torch", "transformers", "sentencepiece"}} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ)
    assert found.stdout == f"(1, {bundle.length})\n[]\n"


def test_its_network_of_pictures_comes_back_in_torch_as_it_was(words):
    from lookalike.models.convert.torch_to_onnx import run
    from lookalike.models.features import combine_stages

    _, _, bundle = words
    asked = pictures(bundle.side_px)[:2]
    extractor = network(bundle)
    assert extractor.depths == bundle.depths
    outputs = dict(zip([one.name for one in bundle.depths], run(extractor, asked), strict=True))
    ours = Backbone(bundle, precision="f32").embed(list(asked))
    assert cosines(combine_stages(outputs, bundle), ours).min() > 0.9999


def test_without_its_tokenizer_a_model_is_one_of_pictures_alone(from_transformers):
    _, bundle = from_transformers("clip")
    assert bundle.text is None
    assert bundle.depths[0].power == 0.5


@pytest.fixture
def clip(from_transformers, tmp_path: Path) -> Path:
    """A copy of the folder of a small CLIP, to be spoiled."""
    return Path(shutil.copytree(from_transformers("clip_words")[0], tmp_path / "model"))


def set_text(folder: Path, **values) -> None:
    table = json.loads((folder / "config.json").read_text())
    table["text_config"] |= values
    (folder / "config.json").write_text(json.dumps(table))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"vocab_size": 10**9}, "config.json has vocab_size 1000000000. It must be a whole number from 1 to 2,000,000"),
        ({"vocab_size": 100_000}, "does not hold the weights that config.json speaks of"),
        ({"max_position_embeddings": "77"}, "config.json has max_position_embeddings '77'"),
        ({"hidden_size": 24}, "transformers cannot load it|does not hold the weights"),
    ],
)
def test_settings_of_the_text_tower_are_checked_like_the_others(clip: Path, tmp_path: Path, values, words: str):
    set_text(clip, **values)
    with pytest.raises(BundleError, match=words) as caught:
        convert(clip, tmp_path / "kept")
    assert len(str(caught.value).splitlines()) == 1


def test_older_configs_of_clip_read_a_text_at_its_largest_token(from_transformers):
    """Their eos_token_id is 2, which is another token: transformers reads at the largest one, which ends the text."""
    assert text_tower.pooling("clip", {"eos_token_id": 2}, 628) == ("largest", 0)
    assert text_tower.pooling("clip", {"eos_token_id": 628}, 628) == ("first", 628)
    assert text_tower.pooling("clip", {}, 49407) == ("first", 49407)
    assert text_tower.pooling("siglip", {"eos_token_id": 2}, 1) == ("last", 0)
    _, bundle = from_transformers("clip_words")
    older = replace(bundle, text=replace(bundle.text, pool="largest", end=0))
    np.testing.assert_array_equal(TextEngine(older, 1).embed(TEXTS), TextEngine(bundle, 1).embed(TEXTS))
