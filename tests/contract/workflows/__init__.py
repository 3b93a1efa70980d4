"""What code hosts are told to run."""
