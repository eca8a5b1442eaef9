"""What is opened: valid files, ways to spoil them, and their basic use."""

from formats.crystals import CrystalFiles
from formats.maps import MapStores
from formats.models import Models
from formats.orientation import OrientationModels, SpotFiles
from formats.patterns import PatternFiles
from formats.recipes import Recipes
from formats.signals import SignalFiles
from formats.stem import StemFiles

FORMATS = {
    "up2": PatternFiles(),
    "stem": StemFiles(),
    "signals": SignalFiles(),
    "maps": MapStores(),
    "models": Models(),
    "recipes": Recipes(),
    "spots": SpotFiles(),
    "libraries": OrientationModels(),
    "crystals": CrystalFiles(),
}
