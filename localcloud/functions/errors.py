"""What can stop the host, told to whoever started it."""


class HostStartError(Exception):
    """The app or its settings cannot be served; the text says what is wrong and what to do."""


class NoFunctionsError(Exception):
    """The app cannot be loaded; as in Azure, the host then runs without any function."""


class RefusedFunctionError(Exception):
    """One function cannot be served, as in Azure; the others are."""


class HostEndedError(Exception):
    """The host ended by itself before it served anything, as the real one does."""
