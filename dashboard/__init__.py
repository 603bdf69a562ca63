"""The pages for the people who watch the queues: view models, texts and templates."""
