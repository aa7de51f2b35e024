"""The library beside its peers and beside bare asyncio streams, in one run: ``python -m benchmarks``.

The client runs on one core and the server, a process of its own, on another. The contenders of a row take turns
(A B C A B C ...), so that whatever else the machine does meets all of them alike. What is printed are medians, and
ratios are medians of the ratios within each round.

==================  ==================================================================================================
``cores``           which core runs what
``servers``         nginx, or else ``bare_server``, in a process of its own; the sink that swallows uploads
``bare_server``     that server: ``python -m benchmarks.bare_server``
``certificates``    what the servers over TLS show
``clients``         the clients with a pool: this library's and its peers, made to do the same
``floors``          the least that asyncio needs for the same bytes: the streams the library is measured against
``turns``           runs contenders in turns and takes the times
``memory``          what the kernel says about the memory of this process
``probe``           memory measured in a fresh process: ``python -m benchmarks.probe``
``many``            scripts for many URLs, in turns and in a fresh process: ``python -m benchmarks.many``
``spiders``         those of scrapy
``site``            the pages of a site to crawl
``report``          the results as a table and as JSON
``rows``            one module for each row of the table
==================  ==================================================================================================
"""
