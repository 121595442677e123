"""What is kept: tables, queries and migrations. Knows no aiogram, no screens and no channels."""
