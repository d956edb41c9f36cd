"""Pretrained encoders: where they come from and how their vocabulary is trimmed."""
