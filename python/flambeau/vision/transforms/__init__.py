class Compose: pass
class Normalize: pass
class ToTensor: pass
functional = None
