"""Errors of the operating system in words: what happened to which file, and what to do."""

import errno

REASONS = {  # by the number of the error: what happened, and what to do before going on
    errno.ENOSPC: ("no space left on the device", "make room"),
    errno.EDQUOT: ("your quota of disk space is used up", "make room"),
    errno.EACCES: ("permission denied", "give yourself the right to read and write there (chmod, chown)"),
    errno.EPERM: ("permission denied", "give yourself the right to read and write there (chmod, chown)"),
    errno.EROFS: ("the file system is read-only", "mount it for writing"),
    errno.EMFILE: ("too many open files", "raise the limit (ulimit -n 4096)"),
    errno.ENFILE: ("too many open files on this machine", "end other programs"),
    errno.EIO: ("the device cannot be read or written", "check the disk"),
    errno.ESTALE: ("the network file system lost it", "mount it again"),
    errno.ENOENT: ("there is no such file or directory", "put it back if it was removed"),
    errno.ENAMETOOLONG: ("the name is too long", "shorten it"),
}


def reason_of(error: OSError) -> str:
    """Return what happened."""
    return REASONS.get(error.errno or 0, (error.strerror or str(error) or type(error).__name__, ""))[0]


def remedy_of(error: OSError) -> str:
    """Return what to do, an order without a full stop; "" where nothing general helps."""
    return REASONS.get(error.errno or 0, ("", ""))[1]


def go_on_after(error: OSError) -> str:
    """Return what to do to continue a run."""
    remedy = remedy_of(error)
    return f"{remedy} and resume" if remedy else "resume once that is mended"
