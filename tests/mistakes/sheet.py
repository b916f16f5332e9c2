#!/usr/bin/env python3
"""Prints what `meshc validate` says of each mistake of cases.json, for a judge: sheet.py [MESHC] > SHEET"""

import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MESHC = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[1] / "target/release/meshc").resolve()

for case in json.loads((HERE / "cases.json").read_text()):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in case["files"].items():
            file = pathlib.Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        ran = subprocess.run([MESHC, "validate"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    print(f"=== {case['id']} [{case['kind']}]\nmeant: {case['meant']}\nmistake: {case['mistake']}\nright: {case['right']}")
    print(f"exit {ran.returncode}\n{ran.stdout}{ran.stderr}")
    for path, text in case["files"].items():
        print(f"--- {path}\n{text}")
