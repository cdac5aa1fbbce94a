"""Purchases and orders."""
