import random
import struct
import subprocess
import sys
import zipfile
import zlib
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image, ImageCms, ImageDraw, TiffImagePlugin

from dispatch import pictures

RED, BLUE, WHITE = (254, 0, 0), (0, 0, 254), (255, 255, 255)


def written(image: Image.Image, format: str, **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def halves(width=400, height=300, left="red", right="blue", mode="RGB") -> Image.Image:
    """Two colours side by side: one sees how it was turned."""
    image = Image.new("RGB", (width, height), right)
    ImageDraw.Draw(image).rectangle((0, 0, width // 2 - 1, height), fill=left)
    return image.convert(mode)


def read(content: bytes) -> pictures.Picture:
    return pictures.read(ContentFile(content))


def full(picture: pictures.Picture) -> Image.Image:
    return Image.open(BytesIO(picture.full))


def near(found, wanted, by=6) -> bool:
    """Equal to the eye: a JPEG is not exact."""
    return all(abs(one - other) <= by for one, other in zip(found, wanted, strict=True))


def at_left_and_right(picture: pictures.Picture) -> tuple:
    image = full(picture)
    return image.getpixel((10, image.height // 2)), image.getpixel((image.width - 11, image.height // 2))


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG up to the picture itself (ITU T.81)."""
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        found.append(jpeg[at + 1])
        at += 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
    return found


def exif(orientation: int = 1) -> Image.Exif:
    """What a phone notes: its make, which way it was held, and where."""
    noted = Image.Exif()
    noted[0x010F], noted[0x0112] = "SecretPhone", orientation
    degrees = TiffImagePlugin.IFDRational
    noted[0x8825] = {1: "N", 2: (degrees(39), degrees(44), degrees(21)), 3: "W", 4: (degrees(104), degrees(59), degrees(3))}
    return noted


def png(width: int, height: int, bits=8, colours=2, data=b"") -> bytes:
    """A PNG with any header."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


# --- what is read


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("PNG", {}),
        ("PNG", {"interlace": 1}),
        ("WEBP", {"quality": 95}),
        ("WEBP", {"lossless": True}),
        ("HEIF", {"quality": 95}),
        ("MPO", {"quality": 95, "save_all": True, "append_images": [halves(left="green")]}),
    ],
)
def test_each_format_becomes_two_jpegs_of_the_same_picture(format, options):
    picture = read(written(halves(), format, **options))

    thumb = Image.open(BytesIO(picture.thumb))
    assert (full(picture).format, full(picture).mode, full(picture).size) == ("JPEG", "RGB", (400, 300))
    assert (thumb.format, thumb.mode, thumb.size) == ("JPEG", "RGB", (400, 300))
    assert (picture.width, picture.height) == (400, 300)
    assert [near(*pair) for pair in zip(at_left_and_right(picture), (RED, BLUE), strict=True)] == [True, True]


def test_a_large_photo_becomes_smaller_and_a_small_one_stays():
    large = read(written(halves(4000, 3000), "JPEG"))

    assert (large.width, large.height, Image.open(BytesIO(large.thumb)).size) == (2048, 1536, (480, 360))
    assert full(large).size == (2048, 1536)
    assert (read(written(halves(7, 5), "PNG")).width, read(written(Image.new("RGB", (1, 1)), "PNG")).height) == (7, 1)
    assert full(read(written(Image.new("RGB", (9000, 2)), "PNG"))).size == (2048, 1)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright_however_the_phone_was_held(orientation, format):
    upright = halves(400, 300, "red", "blue")
    ImageDraw.Draw(upright).rectangle((0, 0, 400, 80), fill="white")
    back = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    sensor = upright.transpose(back) if back is not None else upright

    picture = read(written(sensor, format, exif=exif(orientation)))

    image = full(picture)
    assert image.size == (400, 300)
    assert near(image.getpixel((200, 20)), WHITE)
    assert [near(*pair) for pair in zip(at_left_and_right(picture), (RED, BLUE), strict=True)] == [True, True]


def test_a_heic_is_turned_once_and_not_twice():
    sensor = halves(400, 300).transpose(Image.Transpose.ROTATE_90)

    picture = read(written(sensor, "HEIF", quality=95, exif=exif(6).tobytes()))

    assert (picture.width, picture.height) == (400, 300)
    assert [near(*pair) for pair in zip(at_left_and_right(picture), (RED, BLUE), strict=True)] == [True, True]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_nothing_that_the_camera_noted_is_kept(format):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noted = {"exif": exif(), "icc_profile": profile, "xmp": b"<x:xmpmeta>SecretPlace</x:xmpmeta>"}
    noted |= {"comment": b"SecretComment"} if format == "JPEG" else {}
    sent = written(halves(), format, **noted)

    picture = read(sent)

    assert b"SecretPhone" in sent
    for jpeg in (picture.full, picture.thumb):
        assert set(segments(jpeg)) == {0xE0, 0xDB, 0xC2, 0xC4}  # JFIF, tables, a progressive frame
        assert b"Secret" not in jpeg
        assert dict(Image.open(BytesIO(jpeg)).getexif()) == {}


def test_a_comment_in_the_file_is_not_kept():
    sent = written(halves(), "JPEG", comment=b"SecretComment")

    assert (b"SecretComment" in sent, b"SecretComment" in read(sent).full) == (True, False)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_broken_note_of_the_camera_does_not_spoil_the_photo():
    picture = read(written(halves(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + b"\x12\x01" * 40))

    assert (picture.width, picture.height) == (400, 300)


def test_colours_of_another_space_are_as_they_were_meant():
    """Here in one where the first number is blue."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")

    picture = read(written(halves(), "PNG", icc_profile=swapped))

    assert [near(*pair) for pair in zip(at_left_and_right(picture), (BLUE, RED), strict=True)] == [True, True]


@pytest.mark.parametrize("profile", [b"nonsense", b""])
def test_a_profile_that_nobody_can_read_is_left_out(profile):
    picture = read(written(halves(), "JPEG", icc_profile=profile, quality=95))

    assert [near(*pair) for pair in zip(at_left_and_right(picture), (RED, BLUE), strict=True)] == [True, True]


def test_a_print_shop_s_colours_are_read():
    picture = read(written(halves(mode="CMYK"), "JPEG", quality=95))

    assert [near(*pair) for pair in zip(at_left_and_right(picture), (RED, BLUE), strict=True)] == [True, True]


def test_sixteen_bits_of_grey_become_eight():
    grey = Image.new("I;16", (40, 30), 32768)

    assert near(full(read(written(grey, "PNG"))).getpixel((9, 9)), (128, 128, 128))


def test_sixteen_bits_of_colour_become_eight():
    row = b"\0" + struct.pack(">HHH", 65535, 32768, 0) * 40

    assert near(full(read(png(40, 30, bits=16, data=row * 30))).getpixel((9, 9)), (255, 128, 0))


@pytest.mark.parametrize("mode", ["L", "1", "P"])
def test_grey_bitmaps_and_palettes_are_read(mode):
    picture = read(written(halves(left="black", right="white", mode=mode), "PNG"))

    assert [near(*pair) for pair in zip(at_left_and_right(picture), ((0, 0, 0), WHITE), strict=True)] == [True, True]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(format, mode):
    image = Image.new(mode, (40, 30), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))

    assert near(full(read(written(image, format, lossless=True))).getpixel((9, 9)), WHITE)


@pytest.mark.parametrize("mode", ["P", "RGB", "L"])
def test_one_transparent_colour_becomes_white(mode):
    image = Image.new(mode, (40, 30), 0)

    assert near(full(read(written(image, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0))).getpixel((9, 9)), WHITE)


@pytest.mark.parametrize("format", ["WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_kept(format):
    frames = [halves(left=colour) for colour in ("red", "green", "yellow")]

    picture = read(written(frames[0], format, save_all=True, append_images=frames[1:], lossless=True))

    assert [near(*pair) for pair in zip(at_left_and_right(picture), (RED, BLUE), strict=True)] == [True, True]


def test_the_same_file_can_be_read_twice():
    file = ContentFile(written(halves(), "JPEG"))

    assert pictures.read(file) == pictures.read(file)


# --- what is refused


def zip_file() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("photo.jpg", written(halves(), "JPEG"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xd8\xff\xe0",
        b"<html><script>alert(1)</script></html>",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"%PDF-1.7",
        zip_file(),
        written(halves(), "GIF"),
        written(halves(), "TIFF"),
        written(halves(), "BMP"),
        written(halves(), "AVIF"),
        written(halves(), "EPS"),
        written(halves(), "JPEG")[:1000],
        written(halves(), "PNG")[:200],
        written(halves(), "WEBP")[:200],
        written(halves(), "HEIF")[:500],
        png(400, 300, data=b"too little"),
        png(0, 5),
    ],
    ids=lambda content: repr(content[:4]),
)
def test_what_is_no_photo_is_refused_with_what_to_send_instead(content):
    with pytest.raises(pictures.BadPicture) as refusal:
        read(content)

    assert (str(refusal.value), refusal.value.code) == (
        "This is not a photo we can read: use JPEG, PNG, WebP or HEIC.", "bad_picture",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("width", "height", "said"),
    [
        (5001, 5000, "This may have at most 25 megapixels; it has 25.0."),
        (10000, 10000, "This is not a photo we can read: use JPEG, PNG, WebP or HEIC."),
        (60000, 60000, "This is not a photo we can read: use JPEG, PNG, WebP or HEIC."),
        (2**31 - 1, 2**31 - 1, "This is not a photo we can read: use JPEG, PNG, WebP or HEIC."),
    ],
)
def test_a_header_that_promises_too_much_is_refused_before_anything_is_decoded(width, height, said):
    with pytest.raises(pictures.BadPicture) as refusal:
        read(png(width, height))

    assert str(refusal.value) == said


def test_fifteen_megabytes_are_the_most():
    jpeg = written(halves(), "JPEG")
    at_most = jpeg + b"\0" * (pictures.MOST_BYTES - len(jpeg))

    with pytest.raises(pictures.TooLarge) as refusal:
        read(at_most + b"\0")

    assert (str(refusal.value), refusal.value.code) == ("A photo may have at most 15 MB; this has 15.0.", "too_large")
    assert read(at_most) == read(jpeg)


MEMORY = """
import sys
from dispatch import pictures
before = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
try:
    pictures.read(open(sys.argv[1], "rb"))
except pictures.BadPicture:
    pass
print((int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) - before) // 1024)
"""


def memory_for(content: bytes, tmp_path) -> int:
    """How many megabytes reading takes at the most."""
    (tmp_path / "photo").write_bytes(content)
    ran = subprocess.run([sys.executable, "-c", MEMORY, tmp_path / "photo"], capture_output=True, text=True, check=True)
    return int(ran.stdout)


@pytest.mark.processes
@pytest.mark.parametrize(("format", "most"), [("JPEG", 150), ("HEIF", 420), ("PNG", 420), ("WEBP", 420)])
def test_the_largest_photo_of_each_format_is_read_in_bounded_memory(format, most, tmp_path):
    width, height = (8160, 6120) if format in {"JPEG", "HEIF"} else (5770, 4330)
    mode = "RGBA" if format == "PNG" else "RGB"

    assert memory_for(written(Image.new(mode, (width, height), "red"), format), tmp_path) < most


@pytest.mark.processes
def test_bombs_take_no_memory(tmp_path):
    webp = written(Image.new("RGB", (16383, 16383)), "WEBP", lossless=True, method=0)
    heic = bytearray(written(Image.new("RGB", (3000, 3000), "red"), "HEIF"))
    size = heic.index(b"ispe") + 8
    heic[size : size + 8] = struct.pack(">II", 64, 64)  # says that it is small

    assert memory_for(png(60000, 60000), tmp_path) < 20
    assert memory_for(webp, tmp_path) < 20
    assert memory_for(bytes(heic), tmp_path) < 100


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_damaged_file_is_read_or_refused_and_never_fails_otherwise(format):
    whole, chance = written(halves(80, 60), format, exif=exif(6)), random.Random(format)
    answers = set()
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            answers.add(type(read(bytes(damaged))))
        except pictures.BadPicture as refusal:
            answers.add(type(refusal))

    assert answers <= {pictures.Picture, pictures.BadPicture}
    assert pictures.BadPicture in answers
