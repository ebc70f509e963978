"""The rules of the catalogue's lint."""

RULES: dict[str, str] = {"no-runbook": "x"}
