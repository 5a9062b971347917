"""What it costs to look after many connectors, measured: `make bench`."""
