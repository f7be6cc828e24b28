"""One folder of pictures with all that is known of it."""
