"""What a project keeps on disk: journal, settings snapshot, SPO's files, lock."""
