"""From an event or a request to a job on record. What happens to the job is in reconcile."""
