"""The lab: rule sets judged side by side over stored events: what a change of rules would have done."""
