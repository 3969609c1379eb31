"""What the three implementations that `benchmarks.pairs_kernels` compares have in common."""

DELTA, NOISE = 1e-4, 1e-3
WALK = DELTA / (1 - DELTA)
WINDOW = 60
"""Changes of the rolling correlation; samples of half-life, Hurst exponent and cointegration."""
BAR_NS = 50_000_000
"""Samples are the ends of such bars, of 500 quotes each."""
STEP = 20
"""Samples from one look at half-life, Hurst exponent and cointegration to the next."""
FIGURES = ("z", "correlation", "half-life", "hurst", "cointegration")
