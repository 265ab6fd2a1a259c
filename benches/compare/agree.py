"""Whether two engines have come to the same answer: no time is shown of one that has not.

Whole numbers must be equal. Sums of real ones may differ by how they were rounded: engines add in different orders, and
the standard deviation is to some the difference of two large sums.
"""

SHARE, SHARE_OF_STDDEV = 1e-9, 1e-6


def differences(digest, expected):
    """What differs, name by name: (name, found, expected)."""
    names = sorted({*digest, *expected})
    return [(name, digest.get(name), expected.get(name)) for name in names if not same(name, digest, expected)]


def same(name, digest, expected):
    found, wanted = digest.get(name), expected.get(name)
    if found is None or wanted is None:
        return False
    if isinstance(wanted, int):
        return found == wanted
    share = SHARE_OF_STDDEV if name.startswith("stddev") else SHARE
    # NaN is no answer: it is not within any share.
    return abs(found - wanted) <= share * max(abs(wanted), 1.0)
