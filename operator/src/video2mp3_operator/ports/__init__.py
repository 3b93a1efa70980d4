"""④⑤ The systems outside as the operator needs them, and what can go wrong there. Imports `objects`."""
