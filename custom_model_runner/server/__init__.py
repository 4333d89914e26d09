"""The HTTP shell: flask routes, run by gunicorn in this process."""
