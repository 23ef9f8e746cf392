"""Readers of other people's file formats that run nothing of what they read."""
