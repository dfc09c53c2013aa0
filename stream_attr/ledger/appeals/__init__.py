"""Appeals against decisions: opened by agents, answered by others, granted by a ruling (业绩申诉)."""
