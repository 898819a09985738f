"""Records: the rules by which the bytes of a data set are cut into the leaves of a Merkle tree, one file a rule.

A rule yields, for each record, the bytes that its leaf hashes. What cannot be cut without doubt is refused: two
readers that see other records in the same bytes would make a signature mean two things.
"""
