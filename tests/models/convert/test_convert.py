"""Models from elsewhere, made into bundles once; and what is refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from support.cosines import cosines
from support.elsewhere import pictures, witness

from lookalike import Backbone
from lookalike.errors import BundleError
from lookalike.models.bundle import read
from lookalike.models.convert import convert
from lookalike.models.features import combine_stages
from lookalike.models.registry import resolve_bundle

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize("batch", [1, 8])
def test_the_backbone_gives_features_of_the_depths(converted, batch: int):
    kind, folder, bundle = converted
    asked = pictures(bundle.side_px)[:batch]
    features = Backbone(bundle, precision="f32").embed(list(asked))
    assert features.shape == (batch, bundle.length)
    assert cosines(features, combine_stages(witness(kind, folder, asked), bundle)).min() > 0.9999


def test_a_bundle_is_one_graph_with_what_can_learn_beside_it(converted):
    kind, folder, bundle = converted
    files = {"model.onnx", "backbone.json", "weights.safetensors", "config.json", "preprocessor_config.json"}
    assert {one.name for one in bundle.path.iterdir()} == files
    model = onnx.load(bundle.model, load_external_data=False)
    assert model.opset_import[0].version >= 13
    assert not any(one.external_data for one in model.graph.initializer)
    assert read(bundle.path) == bundle
    assert (bundle.name, bundle.source) == (kind, str(folder.resolve()))


def test_the_second_use_loads_neither_torch_nor_transformers(resnet: Path):
    made = resolve_bundle(resnet)
    code = f"""
import sys
from lookalike.models.registry import resolve_bundle
assert resolve_bundle({str(resnet)!r}).id == {made.id!r}
print(sorted({{"torch", "transformers", "h5py"}} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_without_the_extra_the_first_use_names_it(resnet: Path, tmp_path: Path):
    code = f"""
import sys
sys.modules["torch"] = None
from lookalike.models.registry import resolve_bundle
from lookalike.errors import MissingExtraError
try:
    resolve_bundle({str(resnet)!r})
except MissingExtraError as error:
    print(error)
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LOOKALIKE_CACHE": str(tmp_path)},
    )
    assert found.stdout == (
        f"converting {resnet} needs the extra 'learn'. Install it with: pip install 'lookalike[learn]'\n"
    )


def test_the_id_hangs_on_the_preprocessing(resnet: Path, tmp_path: Path):
    """That the same files give the same id again is seen below, beside a pickle."""
    other = Path(shutil.copytree(resnet, tmp_path / "other"))
    table = json.loads((other / "preprocessor_config.json").read_text())
    (other / "preprocessor_config.json").write_text(json.dumps({**table, "image_std": [0.2, 0.3, 0.26]}))
    assert convert(other, tmp_path / "kept").id != resolve_bundle(resnet).id


def _without(name: str):
    return lambda folder: (folder / name).unlink()


def _sharded(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text("{}")


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _set(file: str, **values):
    def change(folder: Path) -> None:
        (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **values}))

    return change


def _cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:1000])


CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without(CONFIG), r"no backbone .*: backbone\.json\)\. A bundle holds .* transformers' format config\.json"),
        (_without(PREPROCESSOR), "so nothing says how its pixels are scaled. Copy it"),
        (_without("model.safetensors"), "no weights; model.safetensors is missing"),
        (_sharded, "its weights lie in several files. Save them in one"),
        (_pickled, "only pytorch_model.bin, which can run code when it is read; model.safetensors is missing"),
        (_cut, "transformers cannot load it .* Copy its files again"),
        (_set(CONFIG, model_type="whisper"), "a model of type 'whisper', which is not known here. There are clip"),
        (_set(CONFIG, model_type=None, architecture="resnet50"), "in timm's format. Choose the same network"),
        (_set(CONFIG, auto_map={"AutoModel": "m.M"}), "needs Python code of its own, which is never run. Choose"),
        (_set(CONFIG, depths=[1, 1, 3, 1]), "does not hold the weights that config.json speaks of .* Copy both"),
        (_set(CONFIG, hidden_sizes=[16, 24, 32, 44]), "does not hold the weights that config.json speaks of"),
        (_set(PREPROCESSOR, size={"height": 64, "width": 32}), "pictures of 32 x 64. Only squares are known"),
        (_set(PREPROCESSOR, size=None), "names no side of its pictures"),
        (_set(PREPROCESSOR, image_mean=[0.5]), r"has image_mean \[0.5\]. Write the three numbers"),
        (_set(PREPROCESSOR, image_std=[1, 0, 1]), "has image_std 0.0"),
        (lambda folder: (folder / CONFIG).write_text("[]"), "holds no table of settings"),
        (lambda folder: (folder / CONFIG).write_text("{"), "config.json cannot be read"),
    ],
)
def test_what_cannot_be_converted_is_one_line_with_the_mend(resnet: Path, tmp_path: Path, spoil, words: str):
    folder = Path(shutil.copytree(resnet, tmp_path / "model"))
    spoil(folder)
    with pytest.raises(BundleError, match=words) as caught:
        resolve_bundle(folder)
    assert str(caught.value).startswith(f"{folder}: ")
    assert "\n" not in str(caught.value)


def test_a_pickle_beside_the_safetensors_is_never_opened(resnet: Path, tmp_path: Path):
    folder = Path(shutil.copytree(resnet, tmp_path / "model"))
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    (folder / "modeling_evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert convert(folder, tmp_path / "kept").id == resolve_bundle(resnet).id
    assert not (tmp_path / "ran").exists()
