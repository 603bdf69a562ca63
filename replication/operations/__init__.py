"""What an operator may do; each act is journaled before it is tried."""
