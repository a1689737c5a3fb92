"""Scenarios are whole sagas through all five contexts, in memory and on a real Kafka and Postgres."""
