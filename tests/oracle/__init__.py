"""http.client as the oracle: the same requests and the same responses through both libraries, and where they differ."""
