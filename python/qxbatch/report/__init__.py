"""What people see: before, during and after the work."""
