"""What was found, in results.json as it is and in results.md for people."""

import json
import os
import time


class Results:
    """By a job's name; those of earlier calls stay, if they are of the same Tx on the same device."""

    def __init__(self, out, about):
        self.out, self.left_out = out, {}
        self.data = {"about": about, "jobs": {}}
        path = self.path("results.json")
        if os.path.exists(path):
            try:
                with open(path) as file:
                    there = json.load(file)
                for what in ("Tx", "device"):
                    if there["about"][what] != about[what]:
                        raise ValueError(f"of {what} {there['about'][what]}")
                self.data["jobs"] = dict(there["jobs"])
            except (OSError, ValueError, KeyError, TypeError) as error:
                # Somebody's figures may be in it.
                aside = f"{path}.{time.strftime('%Y%m%d-%H%M%S')}"
                os.replace(path, aside)
                print(f"{path}: {error}; it is {aside} now")

    def path(self, name):
        return os.path.join(self.out, name)

    def set(self, job, result):
        self.data["jobs"][job.name] = {"part": job.part, **result}

    def state(self, name):
        return self.data["jobs"].get(name, {}).get("state")

    def isDone(self, name):
        return self.state(name) in ("passed", "FAILED")

    def kept(self, name):
        """Loss and gradients of a run, whatever the host says of them."""
        found = self.data["jobs"].get(name, {})
        return found if "gradients" in found else None

    def of(self, *states):
        return {n: j for n, j in self.data["jobs"].items() if j["state"] in states}

    def write(self):
        for name, text in (
            ("results.json", json.dumps(self.data, indent=1)),
            ("results.md", self.markdown() + "\n".join(["", *launches(self.data["jobs"]), ""])),
        ):
            # Whole or not at all: the machine may take us down at any time.
            try:
                with open(self.path(name + ".part"), "w") as file:
                    file.write(text)
                os.replace(self.path(name + ".part"), self.path(name))
            except OSError as error:  # what is printed is left
                print(f"{name} is not written: {error}", flush=True)

    def markdown(self):
        lines = [f"{what}: {value}  " for what, value in self.data["about"].items()]
        timed = [j["row"] for j in self.data["jobs"].values() if "row" in j]
        lines += [
            f"{who}: {machine}  " for who, machine in sorted({(r["who"].split()[0], r["machine"]) for r in timed})
        ]
        lines += ["", *times(timed)]
        passed, failed, troubles, missing = (self.of(s) for s in ("passed", "FAILED", "trouble", "missing"))
        lines += [
            "",
            f"{len(passed)} passed, {len(failed)} failed, {len(troubles)} without a result, {len(missing)} not possible here, "
            f"{len(self.left_out)} left for another call",
            "",
        ]
        for title, some in (("FAILED", failed), ("no result", troubles), ("not possible", missing), ("passed", passed)):
            lines += [f"- {title}: {name}{': ' + j['note'] if j.get('note') else ''}" for name, j in some.items()]
        lines += [f"- left: {name} ({why})" for name, why in self.left_out.items()]
        return "\n".join(lines) + "\n"


def number(value, scale=1.0, form="{:.2f}"):
    return "" if value is None else form.format(value / scale)


def times(rows):
    lines = [
        "| model | who | policy | ms (least to most) | against none | tokens/s | model TFLOP/s | hardware TFLOP/s | GiB planned | "
        "arena, PyTorch: allocated at most | all on the device | SM MHz, W |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    none = {(r["who"], r["case"]): r["ms"] for r in rows if r["policy"] == "none"}
    for r in sorted(rows, key=lambda r: r["case"]):
        base = none.get((r["who"], r["case"]))
        memory = " | ".join(number(r.get(what), 2**30) for what in ("planned", "arena", "taken"))
        lines.append(
            f"| {r['case']} | {r['who']} | {r['policy']} | {r['ms']:.2f} ({r['least_ms']:.2f} to {r['most_ms']:.2f}) | "
            f"{number(base and 100 * (r['ms'] / base - 1), 1, '{:+.1f} %')} | {r['tokens_per_second']:.0f} | {r['model_tflops']:.1f} | "
            f"{number(r.get('hardware_tflops'), 1, '{:.1f}')} | {memory} | "
            f"{number(r.get('sm_mhz'), 1, '{:.0f}')}, {number(r.get('watts'), 1, '{:.0f}')} |"
        )
    return [
        *lines,
        "",
        "Model TFLOP/s: 6N + 6LhT FLOPs a token for everybody. Hardware: what Tx's launches count, recomputation with them. All on the",
        "device: the process with its context and libraries, less what was in use before it began.",
    ]


def launches(jobs):
    lines = [
        "Launches that take most, clocked one by one:",
        "",
        "| step | launches | ms | share | TFLOP/s | GB/s |",
        "|---|---|---|---|---|---|",
    ]
    for name, job in jobs.items():
        groups = sorted(job.get("launches", {}).items(), key=lambda item: -item[1]["ms"])
        total = sum(group["ms"] for _, group in groups)
        for group_name, g in groups[:12]:
            lines.append(
                f"| {name} | {g['launches']:.0f} {group_name} | {g['ms']:.3f} | {g['ms'] / max(total, 1e-9):.1%} | "
                f"{g['gflops'] / 1e3:.1f} | {g['gigabytes_per_second']:.0f} |"
            )
    return lines
