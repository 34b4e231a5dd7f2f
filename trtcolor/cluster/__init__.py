"""Many machines: the work of one command spread by Ray over whatever a cluster has."""
