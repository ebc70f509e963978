from __future__ import annotations

import os

# A fault of telemetry itself must fail a test, not hide; set before anything of ours is imported.
os.environ["ORDERS_OBS_RAISE_INTERNAL_ERRORS"] = "1"
for _name in [
    name
    for name in os.environ
    if name.startswith(("OTEL_", "ORDERS_"))
    and name
    not in {
        "ORDERS_OBS_RAISE_INTERNAL_ERRORS",
        "ORDERS_OBS_CACHE_DIR",
        "ORDERS_OBS_GRAFANA_SCHEMAS",
    }
]:
    del os.environ[_name]
