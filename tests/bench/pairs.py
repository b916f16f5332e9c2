#!/usr/bin/env python3
"""pairs.py FILE FIRST SECOND: CPU time a request in interleaved pairs of measurements (rule.sh, pair.sh): how much SECOND takes more than
FIRST, as a difference in microseconds and as a ratio, each the median with its 95 % interval (bootstrap)."""
import collections
import random
import re
import statistics
import sys

file, first, second = sys.argv[1:]
found = collections.defaultdict(dict)
for line in open(file):
    words = line.split(maxsplit=2)
    values = dict(re.findall(r"(\w+)=(\S+)", words[2])) if len(words) == 3 else {}
    if "us" not in values or values.get("non2xx", "{}") != "{}":
        sys.exit(f"not clean: {line.strip()}")
    found[words[0]][words[1]] = float(values["us"])
pairs = [pair for pair in found.values() if first in pair and second in pair]
if not pairs:
    sys.exit(f"no pair of {first} and {second}")


def interval(values):
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(10_000))
    return statistics.median(values), medians[250], medians[-251]


one, other = (statistics.median(pair[name] for pair in pairs) for name in (first, second))
print(f"{len(pairs)} pairs: {one:.2f} us a request {first}, {other:.2f} {second}")
median, low, high = interval([pair[second] - pair[first] for pair in pairs])
print(f"difference {median:+.3f} us (95 % interval of the median {low:+.3f} to {high:+.3f})")
median, low, high = interval([pair[second] / pair[first] for pair in pairs])
print(f"ratio {median:.3f} (95 % interval of the median {low:.3f} to {high:.3f})")
