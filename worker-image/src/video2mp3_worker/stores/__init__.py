"""②⑥⑦ GridFS, the ledger and the queue, as one attempt uses them. Imports `ports` and `limits`."""
