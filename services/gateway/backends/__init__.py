"""One file per outside technology that only the gateway uses."""
