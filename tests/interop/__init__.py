"""The library against servers that other people wrote, each in a process of its own."""
