#!/usr/bin/env python3
"""count_results.py RESULTS.json gtests.txt FAILED

Says what lit found, one line for each GoogleTest program and one for the lit suite, then `N passed, N failed`; FAILED
things failed before. A program of the list that lit did not run is a failed one. Exit status 0: all passed.
"""

import collections
import json
import sys

PASSED = {"PASS", "XFAIL", "FLAKYPASS"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


class Group:
    passed = failed = skipped = 0
    seconds = 0.0


def main(results, programs, failed_before):
    try:
        with open(results) as file:
            tests = json.load(file)["tests"]
    except (OSError, ValueError) as error:
        print(f"FAIL lit: it wrote no results: {error}")
        tests = []
    groups = collections.defaultdict(Group)
    with open(programs) as file:
        for line in file:
            groups[line.split()[0]]
    for test in tests:
        suite, path = test["name"].split(" :: ", 1)
        group = groups[path.removeprefix("./").split("/")[0] if suite == "Tx-Unit" else "lit"]
        group.seconds += test.get("elapsed") or 0
        if test["code"] in PASSED:
            group.passed += 1
        elif test["code"] in SKIPPED:
            group.skipped += 1
        else:
            group.failed += 1
    for name, group in sorted(groups.items(), key=lambda item: -item[1].seconds):
        if not group.passed + group.failed + group.skipped:
            group.failed = 1
        skipped = f", {group.skipped} skipped" if group.skipped else ""
        verdict = "FAIL" if group.failed else "ok  "
        print(f"{verdict} {name}: {group.passed} passed, {group.failed} failed{skipped} ({group.seconds:.0f} s)")
    passed = sum(group.passed for group in groups.values())
    failed = sum(group.failed for group in groups.values()) + failed_before
    skipped = sum(group.skipped for group in groups.values())
    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
