"""What several tests share: pictures, networks and examples drawn by code."""
