"""Looking at what was coloured: sheets of pictures side by side, and a page with sliders."""
