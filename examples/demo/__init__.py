"""The main job, for real: ``python -m examples.demo`` fetches thousands of files and checks every byte.

================  ====================================================================================
``origin``        the server: uvicorn and a small static-files application, in a process of its own
``fetch``         the client: some dozens of connections, each reused for many requests
``__main__``      starts the servers, fetches over HTTP and HTTPS, prints a table
================  ====================================================================================
"""
