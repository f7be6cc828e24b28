"""A bucket indexed and taught by workers of Ray: the rows and the column of one process, and nothing done twice."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from support.drawn_network import write_bundle
from support.object_storage import Server
from support.pictures import draw

from lookalike import Collection
from lookalike.distributed.ray_engine import RayEngine, start_ray


@pytest.fixture
def shop(s3: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, Path, Path]:
    """96 pictures and a broken one, on a bucket and in a folder: addresses, folder, backbone."""
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    bucket, folder = s3.bucket(), tmp_path / "photos"
    for i in range(96):
        content = draw(folder / f"{i % 4}/{i}.png", i).read_bytes()
        s3.client.put_object(Bucket=bucket, Key=f"photos/{i % 4}/{i}.png", Body=content)
    (folder / "broken.jpg").write_bytes(b"no picture")
    s3.client.put_object(Bucket=bucket, Key="photos/broken.jpg", Body=b"no picture")
    return f"s3://{bucket}/photos", f"s3://{bucket}/tables/photos", folder, write_bundle(tmp_path / "backbone")


@pytest.fixture
def workers(shop: tuple[str, str, Path, Path]) -> Iterator[None]:
    """Ray, started where the keys of the bucket are: its workers inherit them."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    RayEngine(workers=2)  # sets what Ray reads when it is imported
    import ray

    start_ray(ray, None, 2)
    yield
    ray.shutdown()


def test_workers_read_the_bucket_and_write_the_table_there(shop: tuple[str, str, Path, Path], workers: None):
    photos, at, folder, backbone = shop
    remote, local = Collection(photos, at=at, backbone=backbone), Collection(folder, backbone=backbone)
    done = remote.index(on="ray", workers=2, shard=16)
    assert (done.added, list(done.refused)) == (96, ["broken.jpg"])
    local.index()
    files, features = remote.table.features()
    assert files == local.table.features()[0]
    np.testing.assert_allclose(features, local.table.features()[1], atol=1e-3)
    again = remote.index(on="ray", workers=2)
    assert (again.added, again.unchanged, again.still_refused) == (0, 96, 1)
    (folder / "broken.jpg").unlink()
    lens = remote.learn(folder, name="kinds", quick=True, on="ray", workers=2)
    _, column = remote.table.features(column="lens:kinds")
    np.testing.assert_allclose(column, lens.apply(features), atol=2e-3)
    assert len(remote.search("1/1.png", k=3, lens="kinds")) == 3
