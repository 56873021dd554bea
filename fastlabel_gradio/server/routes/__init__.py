"""The REST API's routes, a file a subject: each adds its own to the router of `api`."""
