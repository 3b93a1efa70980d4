"""④ ConversionSets: from one template and many sources to Conversions, and what became of them.

`plan` and `decide` are pure. Imports `cache`, `policy`, `telemetry`, `ports` and `objects`.
"""
