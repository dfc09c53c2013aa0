"""Foreign sheets: xlsx, xls and CSV as rows of text cells with their places, columns by name, typed cells.

What a shop manager exports from a platform's back office. Nothing here knows what the cells are used for.
"""
