"""The alerts of a back-test a second time, by DuckDB: nothing in here calls the product."""
