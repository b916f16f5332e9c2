#!/usr/bin/env python3
"""rule.py FILE: the difference of rule.sh's pairs in CPU microseconds a request: median, and its 95 % interval (bootstrap)."""
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
differences = [pair["ours"] - pair["free"] for pair in pairs]
chance = random.Random(1)
medians = sorted(statistics.median(chance.choices(differences, k=len(differences))) for _ in range(10_000))
low, high = medians[250], medians[-251]
free, ours = (statistics.median(pair[name] for pair in pairs) for name in ("free", "ours"))
print(f"{len(pairs)} pairs: {free:.2f} us a request without the rule, {ours:.2f} with it")
print(f"the rule costs {statistics.median(differences):+.3f} us (95 % interval of the median {low:+.3f} to {high:+.3f})")
