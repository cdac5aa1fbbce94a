"""The follow-up of a customer's alerts."""
