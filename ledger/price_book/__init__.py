"""List prices of models, dated twice: when a price held, and when we came to know it."""
