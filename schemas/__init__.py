"""Every record that flows through pairflow, declared once."""
