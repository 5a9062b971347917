"""The two custom resources, their status and conditions, as pydantic models."""
