"""Getting everything out: what leaves, the jobs that write it, and a digest of a whole site."""
