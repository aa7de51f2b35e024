"""The main job, for real: ``python -m examples.demo`` crawls a few thousand pages of many hosts, and checks each.

================  ====================================================================================
``site``          the pages, which link to each other, and what a crawl must find
``origin``        the server: uvicorn and a small application, in a process of its own
``check``         what came, and what was asked for, compared with what should have been
``__main__``      starts the server, crawls with progress, a file of results and a report, prints a table
================  ====================================================================================
"""
