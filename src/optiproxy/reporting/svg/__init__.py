"""Figures: scales, charts and graphs drawn as SVG without a plotting library."""
