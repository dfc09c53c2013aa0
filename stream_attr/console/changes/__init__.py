"""Changes of a shop's rules and roster: a form out of the record's type, checked, tried and published."""
