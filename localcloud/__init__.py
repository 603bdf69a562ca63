"""The local cloud: what stands in for Azure on one machine, and shares no code with the product."""
