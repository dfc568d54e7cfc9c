"""Holds the manifests that laurel ships to Kubernetes' own schemas, and its batch
script to bash.

    python manifests.py

deploy/*.yaml and what docs/*.md show with an apiVersion are validated strictly (no
key that the schema does not know) against the oldest version of Kubernetes that
docs/scale.md names and the newest that kubernetes-validate knows; scripts with
#SBATCH lines are parsed by bash.
"""
import pathlib
import re
import subprocess
import sys

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def fenced(path, languages):
    return re.findall(rf"^```(?:{languages})\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


def objects():
    texts = [(path, path.read_text()) for path in sorted((ROOT / "deploy").glob("*.yaml"))]
    texts += [(path, block) for path in sorted((ROOT / "docs").glob("*.md")) for block in fenced(path, "yaml") if "apiVersion:" in block]
    for path, text in texts:
        for found in yaml.safe_load_all(text):
            yield f"{path.relative_to(ROOT)}: {found['kind']} {found['metadata']['name']}", found


def main():
    oldest = re.search(r"Kubernetes (\d+\.\d+)", (ROOT / "docs" / "scale.md").read_text())[1]
    versions = [oldest, kubernetes_validate.latest_version()]
    names = []
    for name, found in objects():
        names.append(name)
        for version in versions:
            try:
                kubernetes_validate.validate(found, version, strict=True)
            except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                sys.exit(f"interop: {name}: Kubernetes {version}: {error}")
    scripts = [block for path in sorted((ROOT / "docs").glob("*.md")) for block in fenced(path, "bash|sh") if "#SBATCH" in block]
    for script in scripts:
        parsed = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
        if parsed.returncode != 0:
            sys.exit(f"interop: batch script: {parsed.stderr}")
    if not names or not scripts:
        sys.exit("interop: no manifest, or no batch script")
    print(f"interop: {len(names)} objects of Kubernetes {' and '.join(versions)}, {len(scripts)} batch script")


if __name__ == "__main__":
    main()
