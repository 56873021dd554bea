"""What answers a request: projects, who may come in, routes, exports and imports that somebody asked for."""
