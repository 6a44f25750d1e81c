"""Transforms on PIL images and tensors. Drawn parameters were compared with torchvision 0.28."""

import io
import random

import flambeau as torch
import pytest
from flambeau.vision import transforms as T
from flambeau.vision import utils
from flambeau.vision.transforms import functional as F

Image = pytest.importorskip("PIL.Image")


def ramp(channels=3, height=6, width=8):
    """A tensor image whose pixels are all different."""
    return torch.arange(channels * height * width, dtype=torch.uint8).reshape(channels, height, width)


def both(tensor):
    """The same image as a tensor and as a PIL image."""
    return [tensor, F.to_pil_image(tensor)]


def as_tensor(image):
    return image if isinstance(image, torch.Tensor) else F.pil_to_tensor(image)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_there_and_back(channels):
    image = ramp(channels)
    assert torch.equal(T.PILToTensor()(T.ToPILImage()(image)), image)
    assert torch.equal(T.ToTensor()(T.ToPILImage()(image)), image / 255)


@pytest.mark.parametrize("mode", ["1", "L", "I", "F", "I;16"])
def test_modes_of_one_channel(mode):
    image = Image.new(mode, (3, 2), 1)
    tensor = T.ToTensor()(image)
    assert tensor.shape == (1, 2, 3)
    assert tensor[0, 0, 0].item() == {"L": pytest.approx(1 / 255)}.get(mode, 1)
    if mode != "1":
        assert T.ToPILImage(mode)(T.PILToTensor()(image)).getpixel((2, 1)) == 1


def test_wrong_modes_and_shapes():
    for make, error in (
        (lambda: F.to_pil_image(ramp(), "L"), ValueError),
        (lambda: F.to_pil_image(ramp(5)), ValueError),
        (lambda: F.to_pil_image(torch.zeros(2, 3, 4, 5)), ValueError),
        (lambda: F.to_pil_image(torch.zeros(1, 2, 2, dtype=torch.int64)), TypeError),
        (lambda: F.to_pil_image("image"), TypeError),
        (lambda: F.to_tensor("image"), TypeError),
        (lambda: F.hflip([1, 2]), TypeError),
        (lambda: F.normalize(ramp(), [0], [1]), TypeError),
        (lambda: F.normalize(torch.ones(3, 2, 2), [0, 0, 0], [1, 0, 1]), ValueError),
        (lambda: F.adjust_hue(ramp(), 0.7), ValueError),
        (lambda: F.five_crop(ramp(), 100), ValueError),
        (lambda: T.RandomCrop(100)(ramp()), ValueError),
        (lambda: T.Pad(1, padding_mode="odd"), ValueError),
        (lambda: T.ColorJitter(hue=0.6), ValueError),
        (lambda: T.ColorJitter(brightness=-1), ValueError),
        (lambda: T.Lambda(3), TypeError),
        (lambda: T.Resize("10"), TypeError),
        (lambda: T.RandomErasing(value="noise"), ValueError),
    ):
        with pytest.raises(error):
            make()


def test_flips_crops_and_borders():
    tensor = ramp()
    for image in both(tensor):
        assert torch.equal(as_tensor(F.hflip(image)), tensor[..., list(range(7, -1, -1))])
        assert torch.equal(as_tensor(F.vflip(image)), tensor[:, list(range(5, -1, -1))])
        assert torch.equal(as_tensor(F.crop(image, 1, 2, 3, 4)), tensor[:, 1:4, 2:6])
        outside = as_tensor(F.crop(image, -1, 6, 3, 4))
        assert outside.shape == (3, 3, 4)
        assert torch.equal(outside[:, 1:, :2], tensor[:, :2, 6:]) and outside.sum() == tensor[:, :2, 6:].sum()
        assert torch.equal(as_tensor(F.center_crop(image, (2, 4))), tensor[:, 2:4, 2:6])
        assert as_tensor(F.center_crop(image, 10)).shape == (3, 10, 10)
        padded = as_tensor(F.pad(image, (1, 2, 3, 4), fill=9))
        assert padded.shape == (3, 12, 12) and padded[0, 0, 0] == 9
        assert torch.equal(padded[:, 2:8, 1:9], tensor)
        assert len(T.TenCrop(3)(image)) == 10


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("edge", [0, 0, 0, 1, 2, 3, 3, 3]),
        ("reflect", [2, 1, 0, 1, 2, 3, 2, 1]),
        ("symmetric", [1, 0, 0, 1, 2, 3, 3, 2]),
    ],
)
def test_border_modes(mode, row):
    for image in both(torch.arange(4, dtype=torch.uint8).reshape(1, 1, 4).expand(1, 3, 4).contiguous()):
        assert as_tensor(F.pad(image, (2, 0), padding_mode=mode))[0, 0].tolist() == row


def test_resize():
    even = torch.full((3, 20, 30), 77, dtype=torch.uint8)
    for image in both(even):
        for size, shape in ((10, (10, 15)), ((7, 5), (7, 5)), (40, (40, 60))):
            resized = as_tensor(T.Resize(size)(image))
            assert resized.shape == (3, *shape) and set(resized.flatten().tolist()) == {77}
        assert as_tensor(T.Resize(10, max_size=12)(image)).shape == (3, 8, 12)
        assert T.Resize(20)(image) is image


def test_normalize():
    image = torch.rand(2, 3, 4, 5)
    mean, std = [0.1, 0.2, 0.3], [0.5, 0.6, 0.7]
    expected = (image - torch.tensor(mean).reshape(3, 1, 1)) / torch.tensor(std).reshape(3, 1, 1)
    kept = image.clone()
    assert torch.allclose(T.Normalize(mean, std)(image), expected) and torch.equal(image, kept)
    T.Normalize(mean, std, inplace=True)(image)
    assert torch.allclose(image, expected)


def test_conversion_of_dtypes():
    image = torch.tensor([[[0, 1, 128, 255]]], dtype=torch.uint8)
    assert torch.equal(T.ConvertImageDtype(torch.uint8)(T.ConvertImageDtype(torch.float32)(image)), image)
    assert T.ConvertImageDtype(torch.int16)(image).flatten().tolist() == [0, 128, 16384, 32640]
    with pytest.raises(RuntimeError):
        F.convert_image_dtype(torch.rand(1, 2, 2), torch.int64)


def test_colours():
    red = torch.tensor([200, 0, 0], dtype=torch.uint8).reshape(3, 1, 1).expand(3, 4, 4).contiguous()
    for image in both(red):
        assert as_tensor(F.adjust_brightness(image, 0.5))[:, 0, 0].tolist() == [100, 0, 0]
        assert as_tensor(F.adjust_hue(image, 1 / 3))[:, 0, 0].argmax() == 1
        gray = as_tensor(F.rgb_to_grayscale(image, 3))
        assert gray.shape == (3, 4, 4) and gray[0, 0, 0] == gray[2, 3, 3] and 58 <= gray[0, 0, 0] <= 61
        assert len(set(as_tensor(F.adjust_saturation(image, 0))[:, 0, 0].tolist())) == 1
        assert as_tensor(F.invert(image))[:, 0, 0].tolist() == [55, 255, 255]
        assert as_tensor(F.solarize(image, 100))[:, 0, 0].tolist() == [55, 0, 0]
        assert as_tensor(F.posterize(image, 1))[:, 0, 0].tolist() == [128, 0, 0]
        assert torch.equal(as_tensor(F.gaussian_blur(image, 3)), red)
        assert torch.equal(as_tensor(F.adjust_sharpness(image, 3)), red)


def test_turning():
    tensor = ramp(1, 5, 5)
    for image in both(tensor):
        assert torch.equal(as_tensor(F.rotate(image, 90)), tensor.transpose(1, 2).flip(1))
        moved = as_tensor(F.affine(image, 0, (1, 2), 1.0, 0.0))
        assert torch.equal(moved[:, 2:, 1:], tensor[:, :-2, :-1]) and moved[:, :2].sum() == 0
        filled = as_tensor(F.affine(image, 0, (1, 0), 1.0, 0.0, fill=[9.0]))
        assert filled[0, :, 0].tolist() == [9] * 5
    for image in both(ramp(3, 5, 7)):
        assert as_tensor(F.rotate(image, 90, expand=True)).shape == (3, 7, 5)


@pytest.mark.parametrize("transform", [T.RandomCrop(3), T.RandomResizedCrop(3)])
def test_random_crops_are_the_same_for_images_and_tensors(transform):
    tensor = ramp(3, 9, 9)
    for seed in range(5):
        results = []
        for image in both(tensor):
            torch.manual_seed(seed)
            results.append(as_tensor(transform(image)))
        assert results[0].shape == results[1].shape == (3, 3, 3)
        if isinstance(transform, T.RandomCrop):
            assert torch.equal(*results)


# drawn with torchvision 0.28 after manual_seed(7), in this order
DRAWN = {
    "crop": (5, 10, 10, 20),
    "resized crop": (1, 3, 35, 39),
    "erasing": (24, 1, 15, 11),
    "rotation": 21.296588897705078,
    "affine": (0.916833758354187, -4, -5, 1.167635202407837, -1.4071404933929443, 0.0),
    "order": [2, 0, 3, 1],
    "factors": [0.6077865362167358, 1.3828775882720947, -0.017365455627441406],
}


def test_drawn_parameters():
    image = ramp(3, 40, 50)
    torch.manual_seed(7)
    assert T.RandomCrop.get_params(image, (10, 20)) == DRAWN["crop"]
    assert T.RandomResizedCrop.get_params(image, (0.08, 1.0), (0.75, 1.33)) == DRAWN["resized crop"]
    assert T.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])[:4] == DRAWN["erasing"]
    assert T.RandomRotation.get_params([-30.0, 30.0]) == pytest.approx(DRAWN["rotation"])
    angle, moves, scale, shear = T.RandomAffine.get_params([-9, 9], (0.2, 0.2), (0.5, 2), [-5, 5], [50, 40])
    assert (angle, *moves, scale, *shear) == pytest.approx(DRAWN["affine"])
    order, *factors = T.ColorJitter.get_params((0.5, 1.5), None, (0.5, 1.5), (-0.1, 0.1))
    assert order.tolist() == DRAWN["order"] and factors[1] is None
    assert [factors[0], *factors[2:]] == pytest.approx(DRAWN["factors"])


def test_random_compositions():
    add, double = T.Lambda(lambda x: x + 1), T.Lambda(lambda x: x * 2)
    torch.manual_seed(0)
    assert {T.RandomApply([add, double], p=0.5)(3) for _ in range(50)} == {3, 8}
    random.seed(0)
    assert {T.RandomOrder([add, double])(3) for _ in range(50)} == {7, 8}
    assert {T.RandomChoice([add, double], p=[0, 1])(3) for _ in range(20)} == {6}
    assert repr(T.Compose([add, double])) == "Compose(\n    Lambda()\n    Lambda()\n)"


def test_probabilities():
    image = ramp()
    for kind in (T.RandomHorizontalFlip, T.RandomVerticalFlip, T.RandomInvert, T.RandomErasing):
        assert torch.equal(kind(p=0.0)(image), image) and not torch.equal(kind(p=1.0)(image), image)


def test_erasing_leaves_its_input_alone_unless_told():
    image = torch.rand(3, 10, 10)
    kept = image.clone()
    erased = T.RandomErasing(p=1.0, value="random")(image)
    assert torch.equal(image, kept) and not torch.equal(erased, kept)
    T.RandomErasing(p=1.0, inplace=True)(image)
    assert not torch.equal(image, kept)


def test_whitening():
    image = torch.rand(2, 1, 2, 2)
    assert torch.allclose(T.LinearTransformation(2 * torch.eye(4), torch.ones(4))(image), 2 * (image - 1))
    with pytest.raises(ValueError):
        T.LinearTransformation(torch.ones(4, 3), torch.ones(4))


def test_make_grid():
    images = torch.arange(5.0).reshape(5, 1, 1, 1).expand(5, 1, 2, 3)
    grid = utils.make_grid(images, nrow=3, padding=1, pad_value=-1)
    assert grid.shape == (3, 2 * 3 + 1, 3 * 4 + 1)
    assert grid[0, 1, 1::4].tolist() == [0.0, 1.0, 2.0] and grid[2, 4, 1::4].tolist() == [3.0, 4.0, -1.0]
    assert utils.make_grid(images[:1]).shape == (3, 2, 3)
    spread = utils.make_grid(images, normalize=True)
    assert spread.max() == 1 and spread.min() == 0 and images.max() == 4


def test_save_image():
    file = io.BytesIO()
    images = [torch.full((3, 4, 4), 0.5), torch.ones(3, 4, 4)]
    utils.save_image(images, file, format="png", padding=0)
    assert F.pil_to_tensor(Image.open(file))[0, 0].tolist() == [128] * 4 + [255] * 4
