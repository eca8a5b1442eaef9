"""All of Qt and napari: reader, writer, forms and the Kikuchi pattern viewer."""
