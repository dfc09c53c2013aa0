"""What a shop's chat of a day comes to, kept so that reports of months need not read every reception."""
