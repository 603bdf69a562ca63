"""The command line `gallery-replicator`: the services of the app, printed."""
