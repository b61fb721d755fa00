"""The parts of the Run screen."""
