#!/usr/bin/env python3
"""table.py FILE [BASE]: medians of run.sh's lines as Markdown; the ratio is the median of the ratios within a repetition."""
import collections
import re
import statistics
import sys

base = sys.argv[2] if len(sys.argv) > 2 else "nginx"
found = collections.defaultdict(dict)
bad = []
for line in open(sys.argv[1]):
    words = line.split(maxsplit=3)
    if len(words) < 4 or "us=" not in line:
        bad.append(line.strip())
        continue
    rep, work, name, rest = words
    values = dict(re.findall(r"(\w+)=(\S+)", rest))
    found[work, name][rep] = values
    if values["non2xx"] != "{}" or any(values[k] != "0" for k in ("stale", "mid", "connerr")):
        bad.append(line.strip())
print(f"| work | proxy | CPU µs a request (min to max) | requests/s | over {base} | memory MiB |")
print("|---|---|---|---|---|---|")
for (work, name), reps in found.items():
    us = [float(v["us"]) for v in reps.values()]
    ratios = [float(v["us"]) / float(found[work, base][r]["us"]) for r, v in reps.items() if r in found.get((work, base), {})]
    rps = statistics.median(float(v["rps"]) for v in reps.values())
    memory = statistics.median(float(v["pss"]) for v in reps.values()) / 1024
    ratio = f"{statistics.median(ratios):.2f} ×" if ratios else ""
    print(f"| {work} | {name} | {statistics.median(us):.2f} ({min(us):.2f} to {max(us):.2f}) | {rps:,.0f} | {ratio} | {memory:.1f} |")
for line in bad:
    print(f"\nnot clean: `{line}`")
sys.exit(1 if any(" ours " in line for line in bad) else 0)
