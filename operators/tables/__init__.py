"""Rows of files: what their columns mean, read exactly into records that a desk's input log can hold."""
