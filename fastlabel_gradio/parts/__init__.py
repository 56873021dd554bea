"""Embeddings in Parquet parts: what `fastlabel embed` writes, in a folder or a bucket, and the app takes in"""
