"""The screens: each a function of a visit, in a module of its name."""
