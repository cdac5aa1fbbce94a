"""Events and the logs they come by."""
