"""The published cell spaces: NAS-Bench-101, NAS-Bench-201, DARTS and NAS-Bench-NLP."""
