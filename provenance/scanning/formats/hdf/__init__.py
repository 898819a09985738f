"""HDF5's own structures, read from bytes: objects, links, attributes and where data lies; no data is decoded."""
