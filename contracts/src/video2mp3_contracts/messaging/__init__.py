"""⑦ The messages on the `mp3` queue, and the notes that they carry. Imports no other room."""
