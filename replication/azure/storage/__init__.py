"""Adapters to Azure Storage: tables and queues, and what their errors mean."""
