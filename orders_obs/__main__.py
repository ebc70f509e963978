import sys

from orders_obs.cli import main

sys.exit(main())
