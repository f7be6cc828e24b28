"""Lenses in closed form, with numpy alone."""
