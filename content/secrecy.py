"""The marks of secrecy on papers. What bears one never passes through the bot."""

import re

from content.text import fold, normalise

# A degree in full, in any case; the bare word only as it is stamped, in capitals, or as a word of a file's name.
_DEGREES = re.compile(r"\b(tuyet|toi) mat\b|\b(do|dau|muc) mat\b")
_STAMP = re.compile(r"(?<!\w)M[ẬA]T(?!\w)")
_NAME = re.compile(r"(?<!\w)mật(?!\w)", re.IGNORECASE)
_OF_OTHERS = re.compile(r"\b(bảo|bí|thân|ong|đường|trăng|túi) mật\b", re.IGNORECASE)


def is_marked(*texts: str | None) -> bool:
    """Whether a file's name or caption bears a mark of secrecy: MẬT, TỐI MẬT, TUYỆT MẬT, with diacritics or without.

    >>> is_marked("Công văn TUYỆT MẬT.pdf"), is_marked("ke-hoach_MAT.docx"), is_marked("rửa mặt.jpg")
    (True, True, False)
    """
    for text in filter(None, texts):
        words = re.sub(r"[_\-.]+", " ", normalise(text))
        if _DEGREES.search(fold(words)) or _STAMP.search(words) or _NAME.search(_OF_OTHERS.sub("", words)):
            return True
    return False
