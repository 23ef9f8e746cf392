"""What a command is given: the folder of a search (`saved`, `finding`), a TOML file, or the user's own code as ``MODULE:NAME``."""
