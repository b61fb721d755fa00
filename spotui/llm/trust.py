"""Whose certificates are trusted."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext


def trusting_context() -> "SSLContext":
    """How TLS is spoken: with the authorities that the environment names, or those of certifi.

    Raises:
        OSError: SSL_CERT_FILE or SSL_CERT_DIR names what cannot be read.
    """
    import ssl

    import certifi

    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not (file or folder):
        file = certifi.where()
    context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    context.set_alpn_protocols(["http/1.1"])
    return context
