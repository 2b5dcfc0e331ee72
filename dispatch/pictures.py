"""Reads what people send as a photo and draws it anew: whatever comes out of here was written by our own encoder, and says
nothing of where, when or with which phone it was taken."""

import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

from django.core.files import File
from PIL import Image, ImageCms
from pillow_heif import register_heif_opener

MIME_TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif")
MOST_BYTES = 15 * 1024 * 1024
MOST_PIXELS = {"JPEG": 50_000_000, "HEIF": 50_000_000, "PNG": 25_000_000, "WEBP": 25_000_000}
"""By format. Cameras write the first two, up to 49.9 megapixels. None takes more than 0.4 GB of memory while it is read."""
FULL, THUMB = 2048, 480
"""The longest side of what is kept, in pixels."""
QUALITY = 82
NOT_A_PHOTO = "This is not a photo we can read: use JPEG, PNG, WebP or HEIC."

BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, RuntimeError, LookupError, TypeError, OverflowError, MemoryError,
    AttributeError, struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""What decoders raise when a file is not what it says."""

ROTATED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""How to put a picture upright, by the orientation that the camera noted (EXIF 2.32, tag 0x0112)."""
ORIENTATION = 0x0112
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
warnings.simplefilter("error", Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # of odd notes: they are not kept anyway
_one_at_a_time = threading.Lock()  # a few large pictures at once would be too much for a small server


class BadPicture(Exception):
    """This cannot be kept as a photo. `code` is stable, the message is for the person who sent it."""

    code = "bad_picture"


class TooLarge(BadPicture):
    code = "too_large"


@dataclass(frozen=True, slots=True)
class Picture:
    """Two progressive JPEGs in sRGB without any metadata; `width` and `height` are those of `full`, in pixels."""

    full: bytes
    thumb: bytes
    width: int
    height: int


def read(upload: File | IO[bytes]) -> Picture:
    """Reads a JPEG, PNG, WebP or HEIC, of an animation the first frame. Raises BadPicture."""
    size = upload.seek(0, 2)
    if size > MOST_BYTES:
        raise TooLarge(f"A photo may have at most {MOST_BYTES // 1024**2} MB; this has {size / 1024**2:.1f}.")
    with _one_at_a_time:
        try:
            with Image.open(upload, formats=tuple(MOST_PIXELS)) as image:
                _check_pixels(image)
                drawn = _drawn_anew(image)
        except BROKEN as error:
            raise BadPicture(NOT_A_PHOTO) from error
        thumb = drawn.copy()
        thumb.thumbnail((THUMB, THUMB))
        return Picture(_as_jpeg(drawn), _as_jpeg(thumb), *drawn.size)


def _check_pixels(image: Image.Image) -> None:
    """By the header: nothing is decoded yet."""
    pixels, most = image.width * image.height, MOST_PIXELS.get(image.format or "", MOST_PIXELS["JPEG"])
    if pixels > most:
        raise BadPicture(f"This may have at most {most // 10**6} megapixels; it has {pixels / 10**6:.1f}.")


def _drawn_anew(image: Image.Image) -> Image.Image:
    """No larger than FULL, upright, RGB, on white."""
    orientation, profile = _orientation(image), image.info.get("icc_profile")
    if image.format == "JPEG":
        image.draft(None, (FULL, FULL))  # decodes a half, a quarter or an eighth, whichever is still large enough
    image.load()
    image = _eight_bits(image)
    image.thumbnail((FULL, FULL), Image.Resampling.LANCZOS)
    image = _in_srgb(_on_white(image), profile)
    return image.transpose(ROTATED[orientation]) if orientation in ROTATED else image


def _orientation(image: Image.Image) -> Any:
    try:
        return image.getexif().get(ORIENTATION)
    except BROKEN:
        return None  # the picture itself may be sound


def _eight_bits(image: Image.Image) -> Image.Image:
    """In a mode that can be made smaller: palettes and bitmaps cannot, and 16 bits of grey are more than a JPEG has."""
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in {"P", "PA", "1"}:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in {"L", "RGB"} and image.has_transparency_data:  # one colour of a PNG is transparent
        return image.convert("RGBA")
    return image


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as they were meant, for screens that know sRGB. A profile that does not fit is left out."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, *BROKEN):
            pass
        else:
            return converted or image
    return image.convert("RGB")


def _as_jpeg(image: Image.Image) -> bytes:
    image.info.clear()  # the encoder would copy comments from here
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, progressive=True, optimize=True)
    return buffer.getvalue()
