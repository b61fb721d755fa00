"""What holds for every test."""

from hypothesis import settings

# A busy machine must not fail a property; what has to be quick is measured in benchmarks/.
settings.register_profile("spotui", deadline=None)
settings.load_profile("spotui")
