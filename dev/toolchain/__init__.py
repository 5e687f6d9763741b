"""Setup and checks of this repository. What runs before anything is installed uses the standard library only."""
