"""What front ends show: a run as a picture that events change, and figures as people read them."""
