"""Where the vectors of ``tests/vectors/pickles`` come from: what is tried, how, and what is to be found."""
