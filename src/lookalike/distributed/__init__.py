"""Work that many processes or machines share: pictures embedded by shards, columns filled by fragments."""
