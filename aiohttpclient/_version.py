"""The version, which is told to servers."""

VERSION = "0.1.0"
