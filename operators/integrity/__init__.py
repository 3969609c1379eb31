"""Whether what is known of the market can be trusted: silent feeds, wrong clocks, and what never came."""
