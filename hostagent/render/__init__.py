"""plan -> files: pure functions from the target state to the text that reaches it."""
