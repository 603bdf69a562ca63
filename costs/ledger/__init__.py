"""The books: one immutable Parquet file a day, written and read with DuckDB."""
