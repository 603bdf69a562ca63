"""What all commands share: output, errors, exit codes, words of the shell, whole files."""
