"""Reference pages, made from contracts, rules and examples: `python -m docs.generate` writes them."""
