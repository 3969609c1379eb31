"""Learning online which deviations revert."""
