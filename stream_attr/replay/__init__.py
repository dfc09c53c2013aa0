"""Files through the processor to files: back-fill, what-if, and the yardstick for the live worker."""
