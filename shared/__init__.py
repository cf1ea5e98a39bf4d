"""What at least two services use: contracts, prompt packs, engines, stores, clients."""
