"""Beyond one machine: object storage, and work that many processes or machines share."""
