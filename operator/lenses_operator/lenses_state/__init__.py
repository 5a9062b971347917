"""What is seen of Lenses: lists, proofs, and with which token."""
