"""Notices of what fails and of what is over: which causes, when, to whom, and in what words."""
