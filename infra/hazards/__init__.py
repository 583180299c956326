"""What statements would do to tables that are in use: locks, rewrites, scans, losses; measured, and put into words."""
