"""What can go wrong outside, told by what happens next. Adapters translate every foreign error into one of these."""


class OutsideError(Exception):
    """Something outside of the operator did not do as it should."""


class UnavailableError(OutsideError):
    """A service is away, overloaded or too slow: the same may succeed later."""


class NotLeadingError(UnavailableError):
    """We do not lead, or cannot be sure to: whoever leads will do it."""


class ConflictError(OutsideError):
    """The object was changed meanwhile: look at it again, then decide anew."""


class GoneError(OutsideError):
    """The object does not exist any more."""


class AlreadyExistsError(OutsideError):
    """An object of that name exists."""


class RefusedError(OutsideError):
    """The API server will not do it (a quota, a policy, an invalid object): tried again slowly, and people are told."""


class InvalidError(RefusedError):
    """The API server says which field cannot be as it is: the same object will never be taken."""
