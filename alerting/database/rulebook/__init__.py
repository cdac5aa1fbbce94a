"""What the business decides, as one checked whole."""
