"""The user study of 004, section 4.3: people say of each picture whether it looks natural."""
