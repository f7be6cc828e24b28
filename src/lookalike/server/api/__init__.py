"""The routes: a checked request, one call on the collection, an answer."""
