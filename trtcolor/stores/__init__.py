"""Pictures and films in object stores and on web servers (``s3://``, ``gs://``, ``https://``)."""
