"""The console: the ledger's numbers in a browser, in Chinese and English, every one with its reasons."""
