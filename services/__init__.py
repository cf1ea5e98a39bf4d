"""The processes of Interleave, one package each; none imports another."""
