"""What leaves the database: a class for each table and each join that is read as a whole."""
