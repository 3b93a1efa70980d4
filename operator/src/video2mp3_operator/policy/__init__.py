"""④⑤ How long, how often and how much: the settings, and the rules that follow from them. Imports `objects`."""
