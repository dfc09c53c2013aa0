"""Programs for developers of the product; none of them is installed with it."""
