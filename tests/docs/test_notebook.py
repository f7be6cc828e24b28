"""A real notebook, run by a real kernel: answers show themselves in it as grids."""

import base64
import io
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

import lookalike

EXAMPLES = Path(__file__).parents[2] / "examples"
CELLS = [
    "from lookalike import Collection\nphotos = Collection('photos')\nphotos.index().added",
    "photos.search('photos/1.png', k=3)",
    "photos.search(['photos/1.png', 'photos/2.png'], k=3)",
    "photos.search('photos/1.png', k=3).grid()",
    "photos.search('photos/1.png', k=3).to_pandas()",
]


@pytest.fixture(autouse=True)
def same_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is another process in another folder: it shall import the package that the tests import."""
    monkeypatch.setenv("PYTHONPATH", str(Path(lookalike.__file__).parents[1]))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Jupyter's own, about its folders and event loops
def test_a_notebook_shows_grids(photos: Path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(photos.parent)}})
    client.execute()
    shown = [cell.outputs[-1].data for cell in notebook.cells]
    assert shown[0]["text/plain"] == "7"
    one, several, image = [Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) for data in shown[1:4]]
    assert one.size == image.size
    assert several.width == one.width
    assert several.height > 1.7 * one.height
    assert shown[1]["text/plain"].startswith("3 hits for photos/1.png (plain)\n1.000  1.png")
    assert "<table" in shown[4]["text/html"]


@pytest.mark.slow  # a whole notebook
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_goes_through_every_step_of_the_keras_example(tmp_path: Path):
    """Every cell of examples/keras_tutorial.ipynb, as it is committed: without outputs."""
    notebook = nbformat.read(EXAMPLES / "keras_tutorial.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs for cell in code)
    for name in ("catalogue", "products", "textiles"):
        (tmp_path / f"{name}.py").write_bytes((EXAMPLES / f"{name}.py").read_bytes())
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = ["".join(out.get("text", "") or out.data.get("text/plain", "") for out in cell.outputs) for cell in code]
    assert said[0] == "(180, 180, 10)"
    assert said[1] == "360"
    assert "learn from 360 pictures" in said[3]
    assert said[4] == "(360, 360)"
    assert said[5].startswith("EpochMetrics(epoch=1, epochs=3,")
    assert "epoch 3 of 3: loss" in said[6]
    assert said[7] == "(10, 256)"
    best = re.findall(r"\S+\.jpg", said[9])
    assert re.findall(r"\S+\.jpg", said[10].split("\n", 1)[1]) == best  # ranked by hand and by search: the same five
    assert said[12].startswith("1.000  left/")
    assert "right one first" in said[13]
