"""Why a file was not taken: a code for programs, a sentence for people."""


class RefusedMedia(Exception):
    """A file that will not be stored.

    Codes: `empty`, `executable`, `not_an_image`, `unreadable`, `too_large`, `too_many_pixels`, `too_many_frames`,
    `too_slow`, `polyglot` (a picture with another file behind it), `not_for_the_web` (HEIC).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TooLarge(RefusedMedia):
    """More bytes came than may."""

    def __init__(self, limit: int) -> None:
        super().__init__("too_large", f"The file is larger than {limit:,} bytes.")
        self.limit = limit


class NotAnImage(RefusedMedia):
    """The name says picture, the bytes say something else."""

    def __init__(self, filename: str, media_type: str) -> None:
        super().__init__("not_an_image", f"{filename!r} is named as an image, but its content is {media_type}.")
        self.media_type = media_type


class Unreadable(RefusedMedia):
    """A picture that is broken, cut short or made to harm."""

    def __init__(self, reason: str) -> None:
        super().__init__("unreadable", f"The image cannot be read: {reason}.")
        self.reason = reason
