"""What a live installation's answers mean, and what to do: pure judgements. `commands.doctor` does the asking."""
