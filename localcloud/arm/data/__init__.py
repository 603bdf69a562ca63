"""What Azure says of its locations, providers and prices, as it was recorded."""
