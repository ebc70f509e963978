"""The alert catalogue: written once, compiled to every engine."""

from orders_obs.alerts.catalogue import Catalogue, load
from orders_obs.alerts.model import Alert, Environment, ResolvedCatalogue, Severity

__all__ = ["Alert", "Catalogue", "Environment", "ResolvedCatalogue", "Severity", "load"]
