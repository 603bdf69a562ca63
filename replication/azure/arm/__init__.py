"""Adapters to Azure Resource Manager, and what its errors and headers mean."""
