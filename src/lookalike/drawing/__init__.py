"""Pictures that people look at: grids, maps, line and bar charts, drawn with Pillow from plain data."""
