"""Satisfaction alerting: an unhappy customer reaches the one person who must call, and the call is
proven.
"""
