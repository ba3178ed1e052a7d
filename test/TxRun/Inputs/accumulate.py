"""accumulate.py FOLDER: the curves in a folder of event files, as TensorBoard reads them."""

import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1])
events.Reload()
print(sorted(events.Tags()["scalars"]))
print([point.step for point in events.Scalars("lm loss")])
