"""All of Qt and napari: reader, writer, forms and the pattern viewer."""

# As the manifest, napari.yaml, names the plugin and its docks.
PLUGIN = "napari-kikuchi"
PATTERN_VIEWER = "Pattern viewer"
FEATURE_BROWSER = "Feature browser"
LATENT_MAPS = "Latent maps"
PHYSICS_MAPS = "Physics maps"
ORIENTATIONS = "Orientations"
SYMMETRY = "Symmetry"
INSPECTOR = "Inspect lines and regions"
SEVERAL_SCANS = "Several scans"
LATENT_SPACE = "Latent space"
SEGMENT = "Segment"
