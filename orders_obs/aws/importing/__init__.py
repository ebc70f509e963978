"""Alarms and rules that are there already become words of the catalogue, without a change to any of them."""
