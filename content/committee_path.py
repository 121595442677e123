"""A committee's path: its name behind those of the committees above it, as “Đảng bộ xã An Bình/Chi bộ Trường học”."""


def split_path(path: str) -> list[str]:
    """The names, from the top; blanks around and within them are put in order."""
    return [part for part in (" ".join(part.split()) for part in path.split("/")) if part]


def paths_above(path: str) -> list[str]:
    """The paths of the committees above the last one, from the top."""
    names = split_path(path)
    return ["/".join(names[:end]) for end in range(1, len(names))]
