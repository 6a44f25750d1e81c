"""Utilities for modules and their parameters."""
