"""How Sphinx builds the site: `make docs`."""

project = "Satisfaction alerting"
author = "Satisfaction alerting"
extensions = ["myst_parser"]
exclude_patterns = ["samples", "schemas"]
nitpicky = True
myst_heading_anchors = 4
html_theme = "furo"
html_title = "Satisfaction alerting"
html_copy_source = False
html_show_copyright = False
