"""One process that may fail, hang, crash or print nothing: a result or a Trouble, never anything else."""

import glob
import importlib.util
import os
import signal
import subprocess


class Trouble(Exception):
    """There is no result, and why."""


class TookTooLong(Trouble):
    pass


class Missing(Trouble):
    """What would be run is not on this machine."""


def environment(**more):
    """This one's, with the CUDA libraries that pip has installed beside PyTorch after the folders of
    LD_LIBRARY_PATH: a machine may have no others, and both sides use the same."""
    result = {**os.environ, **more}
    try:
        spec = importlib.util.find_spec("nvidia")
    except (ImportError, ValueError):
        spec = None
    folders = [
        f
        for place in (spec.submodule_search_locations or [] if spec else [])
        for f in sorted(glob.glob(f"{place}/*/lib"))
    ]
    if folders:
        result["LD_LIBRARY_PATH"] = ":".join(filter(None, [result.get("LD_LIBRARY_PATH"), *folders]))
    return result


def run(command, log, limit, **more):
    """What it prints, which stays in the file `log`, too. Past `limit` seconds it is killed with its children."""
    with open(log, "wb") as output:
        try:
            process = subprocess.Popen(
                list(map(str, command)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment(**more),
                start_new_session=True,
            )
        except OSError as error:
            raise Missing(f"{command[0]}: {error.strerror}")
        try:
            code = process.wait(limit)
        except BaseException as error:  # an interrupt, too, leaves nothing running
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # the driver holds it: not our time to lose
                raise TookTooLong(f"took longer than {limit:.0f} s, and cannot be killed")
            if isinstance(error, subprocess.TimeoutExpired):
                raise TookTooLong(f"took longer than {limit:.0f} s")
            raise
    with open(log, errors="replace") as output:
        text = output.read()
    if code == 0:
        return text
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
    raise Trouble(f"{how}: {lines[-1][-300:] if lines else 'it printed nothing'}")
