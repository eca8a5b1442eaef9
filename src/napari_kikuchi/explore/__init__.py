"""What the maps of a scan say: features found, places measured, domains told apart."""
