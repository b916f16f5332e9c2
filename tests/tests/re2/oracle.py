"""RE2's answers: one JSON object a line in, one out.

{"pattern": p, "texts": [t...]}  ->  {"search": [bool...], "whole": [bool...]}, or {"refused": why}
{"pattern": p, "find": t}        ->  {"found": [t's parts that match...]}, or {"refused": why}
"""

import json
import sys

import re2

options = re2.Options()
options.log_errors = False

for line in sys.stdin:
    asked = json.loads(line)
    try:
        pattern = re2.compile(asked["pattern"], options)
    except re2.error as error:
        answer = {"refused": str(error)}
    else:
        if "find" in asked:
            answer = {"found": pattern.findall(asked["find"])}
        else:
            texts = asked["texts"]
            answer = {
                "search": [pattern.search(text) is not None for text in texts],
                "whole": [pattern.fullmatch(text) is not None for text in texts],
            }
    print(json.dumps(answer))
