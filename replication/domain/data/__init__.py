"""The snapshot of Azure's regions that ships with the product."""
