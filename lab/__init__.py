"""What tests and benchmarks share: the engine, its images, a crate registry, and what is built."""
