"""Pay in the console: whose an account may see, and the texts of its screens."""
