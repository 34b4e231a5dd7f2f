"""Many pictures, file by file: found, coloured side by side, and never twice."""
