"""device.py MIB: a machine with so much memory, of which 8 MiB lie outside of the arena, as JSON."""

import json
import sys

rates = {"f32": {"flops_per_second": 1e12, "efficiency": 1, "source": "made up"}}
machine = {
    "name": f"toy-{sys.argv[1]}",
    "matrix": rates,
    "vector": rates,
    "memory": [
        {
            "name": "RAM",
            "bytes": int(sys.argv[1]) << 20,
            "bytes_per_second": 1e12,
            "efficiency": 1,
            "source": "made up",
        }
    ],
    "launch": {"seconds": 1e-6, "source": "made up"},
    "links": [],
    "outside": [{"name": "context", "for": "process", "bytes": 8 << 20, "source": "made up too"}],
}
print(json.dumps(machine))
