"""A desk's common path as one kernel: decode → book → spread → bands → closed loop, block by block."""
