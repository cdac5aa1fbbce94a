"""What data say that no rule says yet: how often a customer will buy, and which groups customers
form.

Pure calculations over the domain. What needs numpy, scipy or scikit-learn (`alerting[discover]`) is
imported by those who call it, and only when they do: the rest of the product works without them.
"""
