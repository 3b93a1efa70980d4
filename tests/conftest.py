"""For all tests."""

import hypothesis

# A busy machine is slow; that is no fault of what is tested.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")
