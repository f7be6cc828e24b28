"""Writes src/lookalike/server/static/vendor/ from named npm packages: python tools/vendor.py

The page has no build step: what is written here is committed and served as it is. Only who upgrades a package
runs this, and only that needs npm. Imports between packages become relative, since browsers know no names.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parents[1] / "src/lookalike/server/static/vendor"

# package, version, its files -> ours
PACKAGES = [
    ("preact", "11.2.0", {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "preact-hooks.js"}),
    ("htm", "3.1.1", {"dist/htm.mjs": "htm.js"}),
    ("@preact/signals-core", "1.14.5", {"dist/signals-core.mjs": "signals-core.js"}),
    ("@preact/signals", "2.11.4", {"dist/signals.mjs": "signals.js"}),
]
IMPORTS = {
    "preact": "./preact.js",
    "preact/hooks": "./preact-hooks.js",
    "@preact/signals-core": "./signals-core.js",
}


def main() -> None:
    """Fetch, rewrite, and list everything with its hash and licence in vendor.json."""
    VENDOR.mkdir(exist_ok=True)
    for old in VENDOR.iterdir():
        old.unlink()
    listed = []
    for package, version, files in PACKAGES:
        with tempfile.TemporaryDirectory() as folder:
            root = unpacked(package, version, Path(folder))
            licence = f"{package.strip('@').replace('/', '-')}.LICENSE"
            (VENDOR / licence).write_bytes((root / "LICENSE").read_bytes())
            says = json.loads((root / "package.json").read_text())["license"]
            for source, target in files.items():
                text = served((root / source).read_text("utf-8"))
                (VENDOR / target).write_text(text, "utf-8")
                listed.append(
                    {
                        "file": target,
                        "package": package,
                        "version": version,
                        "source": source,
                        "sha256": hashlib.sha256(text.encode()).hexdigest(),
                        "licence": says,
                        "licence_file": licence,
                    }
                )
    (VENDOR / "vendor.json").write_text(json.dumps(listed, indent=2) + "\n", "utf-8")


def unpacked(package: str, version: str, folder: Path) -> Path:
    """The contents of a package, whose hash npm checks."""
    said = subprocess.run(
        ["npm", "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True, capture_output=True, text=True
    )
    with tarfile.open(folder / said.stdout.split()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def served(text: str) -> str:
    """A file as browsers take it: relative imports, no source map."""
    text = re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", text)
    text = re.sub(r'from\s*"([^"./][^"]*)"', lambda found: f'from"{IMPORTS[found[1]]}"', text)
    return text.rstrip() + "\n"


if __name__ == "__main__":
    main()
