"""The closed loop: orders, venue, fills."""
