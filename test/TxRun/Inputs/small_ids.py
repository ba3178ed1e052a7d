"""small_ids.py FILE N: the ids 0, 1, ..., N-1, again and again, as uint16."""

import array
import sys

count = int(sys.argv[2])
array.array("H", [i % count for i in range(40 * count)]).tofile(open(sys.argv[1], "wb"))
