"""Words of the domain: parsed once at the door, printed once on the way out. No I/O."""
