"""Pretrained encoders: where they come from and how their vocabulary is trimmed.

A saved ``encoder/`` folder opens with ``DualEncoder.load(folder)`` and, for ``encode_query`` and ``encode_document``,
with ``SentenceTransformer(folder)``.
"""
