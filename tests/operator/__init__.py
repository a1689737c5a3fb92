"""Tests of what operators may ask and do, on the real Kafka and the real Postgres."""
