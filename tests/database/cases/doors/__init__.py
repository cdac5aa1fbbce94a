"""The work on a case by its doors: page, links, API, command line."""
