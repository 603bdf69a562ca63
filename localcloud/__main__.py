"""`python -m localcloud`."""

from localcloud.main import main

main()
