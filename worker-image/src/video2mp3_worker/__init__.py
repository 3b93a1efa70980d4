"""⑥⑦ The worker: one source becomes one mp3, stored, noted in the ledger and announced on the queue."""
