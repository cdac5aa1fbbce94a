"""A table of customers to be mapped."""

TABLE = """Konto;Wer;Geld;Bis;Sparte;Mail;Rest
1;Ay GmbH;1.500;04/05/2026;Nord;a@example.com;x
2;Be AG;2.000;05/06/2026;;;y
"""
