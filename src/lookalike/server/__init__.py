"""HTTP: a collection for people in a browser and for programs that are not Python."""
