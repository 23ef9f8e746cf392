"""From the files that a benchmark's authors published to arrays of our own, one file per benchmark."""
