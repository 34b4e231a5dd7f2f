"""`struck`: a text of somebody else's without the credentials that it may hold."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, quote_plus

_SECRET = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|ACCESS_KEY|API_KEY|PRIVATE_KEY")
_SHORTEST = 4
"""Characters of a value that is struck out; a shorter one would be found in any text."""
_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://)(?:[^\s/'\"]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?", re.I)
_SIGNED = re.compile(
    r"\b(x-(?:amz|goog)-(?:signature|credential|security-token)|signature|sig|token|"
    r"access_token|authorization)(\s*[=:]\s*)[^\s&'\"]+",
    re.I,
)
STRUCK = "***"


def struck(text: str) -> str:
    """The text, without users and queries of URLs, signatures, and values of secret variables.

    Secret is every variable of the environment whose name says so, as ``AWS_SECRET_ACCESS_KEY``.
    """
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and _SECRET.search(name.upper()):
            for form in {value, quote(value), quote(value, safe=""), quote_plus(value)}:
                text = text.replace(form, STRUCK)
    return _SIGNED.sub(rf"\1\2{STRUCK}", _URL.sub(r"\1\2", text))
