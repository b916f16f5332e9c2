#!/usr/bin/env python3
"""pair.py FILE: the ratio of pair.sh's pairs in CPU time a request, after over before: median, and its 95 % interval (bootstrap)."""
import collections
import random
import re
import statistics
import sys

found = collections.defaultdict(dict)
for line in open(sys.argv[1]):
    words = line.split(maxsplit=2)
    values = dict(re.findall(r"(\w+)=(\S+)", words[2])) if len(words) == 3 else {}
    if "us" not in values or values.get("non2xx", "{}") != "{}":
        sys.exit(f"not clean: {line.strip()}")
    found[words[0]][words[1]] = float(values["us"])
pairs = [pair for pair in found.values() if len(pair) == 2]
ratios = [pair["after"] / pair["before"] for pair in pairs]
chance = random.Random(1)
medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(10_000))
before, after = (statistics.median(pair[name] for pair in pairs) for name in ("before", "after"))
print(f"{len(pairs)} pairs: {before:.2f} us a request before, {after:.2f} after")
print(f"after over before: {statistics.median(ratios):.3f} x (95 % interval of the median {medians[250]:.3f} to {medians[-251]:.3f})")
print("each pair: " + ", ".join(f"{ratio:.3f}" for ratio in ratios))
