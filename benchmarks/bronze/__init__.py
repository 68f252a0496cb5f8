"""What the benchmarks of Bronze share: made-up replies, served vendors, and the product's own way through them."""
