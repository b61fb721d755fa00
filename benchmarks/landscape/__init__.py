"""Search methods on planted landscapes: true gain against calls, without a model."""
