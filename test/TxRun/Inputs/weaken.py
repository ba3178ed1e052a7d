"""weaken.py FROM TO NAME: an artifact whose launches with NAME in their names wait for no collective, signed."""

import sys

from artifact import Artifact

source, target, name = sys.argv[1:]
with open(source, "rb") as file:
    artifact = Artifact(bytearray(file.read()))
strings = artifact.sections["strings"]
changed = 0
for launch in artifact.items("launches"):
    begin = launch.get("name")
    if name.encode() in strings[begin : strings.index(0, begin)] and launch.get("wait_collectives"):
        launch.set("wait_collectives", 0)
        changed += 1
assert changed, "no launch of this name waits"
with open(target, "wb") as file:
    file.write(artifact.build())
