"""`trtcolor evaluate`: pictures measured by every measure there is, beside grey and mean colour."""
