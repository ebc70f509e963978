import sys

from orders_obs.cli import run_part

sys.exit(run_part("sandbox"))
