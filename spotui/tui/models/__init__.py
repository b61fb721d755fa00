"""Roles and models on the screen: who answers, where, with which key, and whether they do."""
